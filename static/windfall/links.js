/* The ordered list of links. Without this script every button sends the form, and all works. */

(() => {
    "use strict";

    const TYPING_PAUSE_MS = 150;

    const items = (list) => [...list.querySelectorAll("[data-item]")];

    const refresh = (list) => {
        const all = items(list);
        all.forEach((item, index) => {
            item.querySelector("[data-move=up]").disabled = index === 0;
            item.querySelector("[data-move=down]").disabled = index === all.length - 1;
        });
        list.querySelector("[data-count]").textContent = all.length;
        list.querySelector("[data-nothing]").hidden = all.length > 0;
        list.querySelector("[data-add]").disabled = all.length >= Number(list.dataset.max);
    };

    const say = (list, text) => {
        const said = list.querySelector("[data-said]");
        said.hidden = false;
        said.textContent = `${text} Nothing is stored until you save the links.`;
    };

    const sayPlace = (list, item) => {
        const all = items(list);
        say(list, `${item.dataset.name} is number ${all.indexOf(item) + 1} of ${all.length}.`);
    };

    // Buttons

    const move = (list, button) => {
        const item = button.closest("[data-item]");
        const isUp = button.dataset.move === "up";
        const other = isUp ? item.previousElementSibling : item.nextElementSibling;
        if (!other) {
            return;
        }
        if (isUp) {
            other.before(item);
        } else {
            other.after(item);
        }
        refresh(list);
        // The pressed button keeps the focus; at an end of the list its twin takes it.
        (button.disabled ? item.querySelector("[data-move]:not(:disabled)") : button)?.focus();
        sayPlace(list, item);
    };

    const remove = (list, button) => {
        const item = button.closest("[data-item]");
        const next = item.nextElementSibling || item.previousElementSibling;
        item.remove();
        refresh(list);
        (next ? next.querySelector("[data-remove]") : list.querySelector("[data-wanted]")).focus();
        say(list, `${item.dataset.name} was removed.`);
    };

    const append = (list, offer) => {
        const input = list.querySelector("[data-wanted]");
        const isThere = items(list).some((item) => item.querySelector("input").value === offer.id);
        if (isThere) {
            say(list, `${offer.name} is on the list already.`);
        } else if (items(list).length >= Number(list.dataset.max)) {
            say(list, `There are ${list.dataset.max} links, and no room for more.`);
        } else {
            const made = document.createElement("template");
            // Made by the server from the same template as the rows of the page.
            made.innerHTML = offer.row;
            list.querySelector("[data-items]").append(made.content);
            refresh(list);
            say(list, `${offer.name} was added at the end.`);
        }
        input.value = "";
        input.focus();
    };

    // Dragging: by pointer, so that fingers can do it too

    const startDrag = (list, event) => {
        const grip = event.target.closest("[data-grip]");
        const item = grip && grip.closest("[data-item]");
        if (!item || event.button !== 0) {
            return;
        }
        event.preventDefault();
        grip.setPointerCapture(event.pointerId);
        item.classList.add("wf-order-dragged");

        const follow = (moved) => {
            const below = items(list).find((other) => {
                const box = other.getBoundingClientRect();
                return other !== item && moved.clientY < box.top + box.height / 2;
            });
            const place = list.querySelector("[data-items]");
            if (below ? item.nextElementSibling !== below : place.lastElementChild !== item) {
                place.insertBefore(item, below || null);
                // A node that is moved loses the pointer.
                grip.setPointerCapture(event.pointerId);
            }
        };
        const end = () => {
            document.removeEventListener("pointermove", follow);
            document.removeEventListener("pointerup", end);
            document.removeEventListener("pointercancel", end);
            item.classList.remove("wf-order-dragged");
            refresh(list);
            sayPlace(list, item);
        };
        document.addEventListener("pointermove", follow);
        document.addEventListener("pointerup", end);
        document.addEventListener("pointercancel", end);
    };

    // Suggestions

    const suggest = (list) => {
        const input = list.querySelector("[data-wanted]");
        const found = list.querySelector("[data-found]");
        let offers = [];
        let chosen = -1;
        let waiting = null;
        let asked = 0;

        // The browser's own suggestions are for when there is no script.
        input.removeAttribute("list");
        input.setAttribute("role", "combobox");
        input.setAttribute("aria-controls", found.id);
        input.setAttribute("aria-autocomplete", "list");
        input.setAttribute("aria-expanded", "false");

        const close = () => {
            found.hidden = true;
            chosen = -1;
            input.setAttribute("aria-expanded", "false");
            input.removeAttribute("aria-activedescendant");
        };

        const choose = (index) => {
            const options = [...found.querySelectorAll("[role=option]")];
            chosen = options.length ? (index + options.length) % options.length : -1;
            options.forEach((option, at) => {
                option.setAttribute("aria-selected", String(at === chosen));
            });
            if (chosen >= 0) {
                input.setAttribute("aria-activedescendant", options[chosen].id);
                options[chosen].scrollIntoView({ block: "nearest" });
            }
        };

        const show = () => {
            found.replaceChildren(
                ...offers.map((offer, index) => {
                    const option = document.createElement("li");
                    option.id = `link-found-${index}`;
                    option.setAttribute("role", "option");
                    option.setAttribute("aria-selected", "false");
                    const name = document.createElement("span");
                    name.className = "wf-strong";
                    name.textContent = offer.name;
                    const what = document.createElement("span");
                    what.className = "wf-muted";
                    what.textContent = offer.what;
                    option.append(name, " ", what);
                    option.addEventListener("pointerdown", (event) => event.preventDefault());
                    option.addEventListener("click", () => {
                        append(list, offer);
                        close();
                    });
                    return option;
                }),
            );
            if (!offers.length) {
                const nothing = document.createElement("li");
                nothing.className = "wf-muted";
                nothing.textContent = "No instance that can be linked is called so.";
                found.append(nothing);
            }
            chosen = -1;
            found.hidden = false;
            input.setAttribute("aria-expanded", "true");
        };

        const ask = async () => {
            asked += 1;
            const mine = asked;
            try {
                const address = `${list.dataset.find}?find=${encodeURIComponent(input.value.trim())}`;
                const response = await fetch(address, { credentials: "same-origin" });
                // An answer that a later one has overtaken is not shown.
                if (response.ok && mine === asked) {
                    const there = new Set(items(list).map((item) => item.querySelector("input").value));
                    offers = (await response.json()).found.filter((offer) => !there.has(offer.id));
                    if (document.activeElement === input) {
                        show();
                    }
                }
            } catch {
                // Without an answer there are no suggestions; Add works with the whole name.
            }
        };

        const askSoon = () => {
            clearTimeout(waiting);
            waiting = setTimeout(ask, TYPING_PAUSE_MS);
        };

        input.addEventListener("input", askSoon);
        input.addEventListener("focus", askSoon);
        input.addEventListener("blur", close);
        input.addEventListener("keydown", (event) => {
            if (event.key === "ArrowDown" || event.key === "ArrowUp") {
                event.preventDefault();
                if (found.hidden) {
                    ask();
                } else {
                    choose(event.key === "ArrowDown" ? chosen + 1 : Math.max(chosen, 0) - 1);
                }
            } else if (event.key === "Escape") {
                close();
            } else if (event.key === "Enter") {
                event.preventDefault();
                add();
            }
        });

        const add = async () => {
            if (chosen < 0) {
                await ask();
            }
            const term = input.value.trim().toLowerCase();
            const called = offers.filter((offer) => offer.name.toLowerCase() === term || offer.id === term);
            const one = called.length === 1 ? called[0] : offers.length === 1 ? offers[0] : null;
            const offer = chosen >= 0 ? offers[chosen] : term ? one : null;
            if (offer) {
                append(list, offer);
                close();
            } else {
                input.focus();
            }
        };
        return add;
    };

    document.querySelectorAll("[data-ordered-list]").forEach((list) => {
        const add = suggest(list);
        refresh(list);
        list.addEventListener("pointerdown", (event) => startDrag(list, event));
        list.addEventListener("click", (event) => {
            const button = event.target.closest("button");
            if (!button) {
                return;
            }
            event.preventDefault();
            if (button.dataset.move) {
                move(list, button);
            } else if ("remove" in button.dataset) {
                remove(list, button);
            } else if ("add" in button.dataset) {
                add();
            }
        });
    });
})();
