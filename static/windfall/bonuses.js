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
        // What is said is read aloud: it is changed only when there is something else to say.
        const say = (text) => {
            if (said.textContent !== text) {
                said.textContent = text;
            }
        };

        const show = (told) => {
            place.querySelectorAll("[data-told]").forEach((element) => {
                const value = told[element.dataset.told];
                if (element instanceof HTMLProgressElement) {
                    element.value = value;
                    element.textContent = `${value} %`;
                } else {
                    element.textContent = value;
                }
            });
            say(told.is_running ? `${told.said} This page follows.` : told.said);
        };

        const look = async () => {
            try {
                const response = await fetch(place.dataset.campaignProgress, {
                    credentials: "same-origin",
                });
                if (!response.ok || response.redirected) {
                    say("Load the page again to see how far it is.");
                    return;
                }
                const told = await response.json();
                show(told);
                if (!told.is_running) {
                    return;
                }
            } catch {
                say("There is no answer at the moment. It is asked for again.");
            }
            setTimeout(look, POLL_MS);
        };

        look();
    };

    document.addEventListener("DOMContentLoaded", () => {
        document.querySelectorAll("[data-preview-of]").forEach(followTyping);
        document.querySelectorAll("[data-campaign-progress]").forEach(followCampaign);
    });
})();
