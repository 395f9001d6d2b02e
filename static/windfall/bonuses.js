/* Bonuses: the example of a template while it is typed, and a campaign while it runs. */

(() => {
    "use strict";

    const TYPING_PAUSE_MS = 250;
    const POLL_MS = 2000;

    // What is typed is worked through by the server, which rounds as grants are rounded.
    const followTyping = (note) => {
        const form = note.parentElement.querySelector("form");
        const list = note.querySelector("[data-examples]");
        const nothing = note.querySelector("[data-no-examples]");
        let waiting = null;
        let asked = 0;

        const show = (examples) => {
            list.replaceChildren(
                ...examples.map((sentence) => {
                    const item = document.createElement("li");
                    item.textContent = sentence;
                    return item;
                }),
            );
            nothing.hidden = examples.length > 0;
        };

        const ask = async () => {
            asked += 1;
            const mine = asked;
            try {
                const response = await fetch(note.dataset.previewOf, {
                    method: "POST",
                    body: new FormData(form),
                    credentials: "same-origin",
                });
                // An answer that a later one has overtaken is not shown.
                if (response.ok && mine === asked) {
                    show((await response.json()).examples);
                }
            } catch {
                // Without an answer the last example stays; the form works all the same.
            }
        };

        form.addEventListener("input", () => {
            clearTimeout(waiting);
            waiting = setTimeout(ask, TYPING_PAUSE_MS);
        });
    };

    const followCampaign = (place) => {
        const said = place.querySelector("[data-said]");
        said.textContent = "It is looked at again every two seconds.";

        const show = (told) => {
            const bar = place.querySelector("[data-percent]");
            bar.value = told.percent;
            bar.textContent = `${told.percent} %`;
            ["audience", "pending", "granted", "skipped", "failed", "cost"].forEach((name) => {
                place.querySelector(`[data-${name}]`).textContent = told[name];
            });
        };

        const look = async () => {
            try {
                const response = await fetch(place.dataset.campaignProgress, {
                    credentials: "same-origin",
                });
                if (!response.ok || response.redirected) {
                    said.textContent = "Load the page again to see how far it is.";
                    return;
                }
                const told = await response.json();
                show(told);
                if (!told.is_running) {
                    said.textContent = told.said;
                    return;
                }
                said.textContent = told.said;
            } catch {
                said.textContent = "There is no answer at the moment. It is tried again.";
            }
            setTimeout(look, POLL_MS);
        };

        setTimeout(look, POLL_MS);
    };

    document.addEventListener("DOMContentLoaded", () => {
        document.querySelectorAll("[data-preview-of]").forEach(followTyping);
        document.querySelectorAll("[data-campaign-progress]").forEach(followCampaign);
    });
})();
