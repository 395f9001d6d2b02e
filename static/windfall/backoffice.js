/* Small helps of the back office. Every page works without them, but for the ordered list. */

(() => {
    "use strict";

    // A form marked data-once is sent once, however often its button is pressed.
    document.addEventListener("submit", (event) => {
        const form = event.target.closest("form[data-once]");
        if (!form) {
            return;
        }
        if (form.dataset.sent) {
            event.preventDefault();
            return;
        }
        form.dataset.sent = "yes";
        form.querySelectorAll("button[type=submit]").forEach((button) => {
            button.setAttribute("aria-disabled", "true");
        });
    });

    // Coming back with the browser's own button, the form may be sent again.
    window.addEventListener("pageshow", () => {
        document.querySelectorAll("form[data-sent]").forEach((form) => {
            delete form.dataset.sent;
            form.querySelectorAll("button[type=submit]").forEach((button) => {
                button.removeAttribute("aria-disabled");
            });
        });
    });

    // The ordered list of links: buttons only, so that the keyboard does all of it.
    const refresh = (list) => {
        const items = [...list.querySelectorAll("[data-item]")];
        items.forEach((item, index) => {
            item.querySelector("[data-move=up]").disabled = index === 0;
            item.querySelector("[data-move=down]").disabled = index === items.length - 1;
        });
        const chosen = new Set(items.map((item) => item.querySelector("input").value));
        list.querySelectorAll("[data-choice] option").forEach((option) => {
            option.disabled = option.hidden = chosen.has(option.value);
        });
        list.querySelector("[data-count]").textContent = items.length;
        list.querySelector("[data-nothing]").hidden = items.length > 0;
        list.querySelector("[data-add]").disabled = items.length >= Number(list.dataset.max);
    };

    const say = (list, text) => {
        list.querySelector("[data-said]").textContent = text;
    };

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
        const items = [...list.querySelectorAll("[data-item]")];
        say(list, `${item.dataset.name} is number ${items.indexOf(item) + 1} of ${items.length}.`);
    };

    const remove = (list, button) => {
        const item = button.closest("[data-item]");
        const next = item.nextElementSibling || item.previousElementSibling;
        item.remove();
        refresh(list);
        (next ? next.querySelector("[data-remove]") : list.querySelector("[data-choice]")).focus();
        say(list, `${item.dataset.name} was removed.`);
    };

    const add = (list) => {
        const choice = list.querySelector("[data-choice]");
        const template = choice.value && list.querySelector(`template[data-row="${choice.value}"]`);
        if (!template) {
            choice.focus();
            return;
        }
        const items = list.querySelector("[data-items]");
        items.append(template.content.cloneNode(true));
        choice.value = "";
        refresh(list);
        choice.focus();
        say(list, `${items.lastElementChild.dataset.name} was added at the end.`);
    };

    document.addEventListener("click", (event) => {
        const list = event.target.closest("[data-ordered-list]");
        const button = event.target.closest("button");
        if (!list || !button) {
            return;
        }
        if (button.dataset.move) {
            move(list, button);
        } else if ("remove" in button.dataset) {
            remove(list, button);
        } else if ("add" in button.dataset) {
            add(list);
        }
    });

    // Rows of a form that can be added and removed.
    const renumber = (rows) => {
        const prefix = rows.dataset.rows;
        const all = [...rows.querySelectorAll("[data-rows-body] > [data-row]")];
        all.forEach((row, index) => {
            row.querySelectorAll("[name], [id], [for]").forEach((element) => {
                ["name", "id", "for"].forEach((attribute) => {
                    const value = element.getAttribute(attribute);
                    if (value) {
                        const pattern = new RegExp(`(${prefix}-)(\\d+|__prefix__)(-)`);
                        element.setAttribute(attribute, value.replace(pattern, `$1${index}$3`));
                    }
                });
            });
        });
        rows.querySelector(`[name="${prefix}-TOTAL_FORMS"]`).value = all.length;
        rows.querySelector(`[name="${prefix}-INITIAL_FORMS"]`).value = 0;
        rows.querySelector("[data-rows-add]").disabled = all.length >= Number(rows.dataset.max);
    };

    // Which fields belong to which choice.
    const BELONGING = {
        contribution_type: { fixed: "contribution_amount", percent: "contribution_percent" },
        drop_type: {
            must_hit_by_amount: "drop_amount",
            must_hit_by_time: "drop_at",
            hit_rate: "drop_probability",
        },
    };

    const showBelonging = (group, { clear }) => {
        Object.entries(BELONGING).forEach(([choice, fields]) => {
            const select = group.querySelector(`[data-field="${choice}"] select`);
            if (!select) {
                return;
            }
            Object.entries(fields).forEach(([value, field]) => {
                const place = group.querySelector(`[data-field="${field}"]`);
                const hasError = !clear && place.querySelector(".errors");
                place.hidden = select.value !== value && !hasError;
                if (place.hidden && clear) {
                    place.querySelectorAll("input").forEach((input) => {
                        input.value = "";
                    });
                }
            });
        });
    };

    document.addEventListener("change", (event) => {
        const group = event.target.closest("[data-choices]");
        if (group && event.target.matches("select")) {
            showBelonging(group, { clear: true });
        }
    });

    document.addEventListener("click", (event) => {
        const rows = event.target.closest("[data-rows]");
        if (!rows) {
            return;
        }
        if (event.target.closest("[data-rows-add]")) {
            const body = rows.querySelector("[data-rows-body]");
            body.append(rows.querySelector("[data-rows-empty]").content.cloneNode(true));
            renumber(rows);
            showBelonging(body.lastElementChild, { clear: true });
            body.lastElementChild.querySelector("input").focus();
        } else if (event.target.closest("[data-row-remove]")) {
            event.target.closest("[data-row]").remove();
            renumber(rows);
            rows.querySelector("[data-rows-add]").focus();
        }
    });

    document.addEventListener("DOMContentLoaded", () => {
        document.querySelectorAll("[data-ordered-list]").forEach(refresh);
        document.querySelectorAll("[data-rows]").forEach(renumber);
        document.querySelectorAll("[data-choices]").forEach((group) => {
            showBelonging(group, { clear: false });
        });
    });

    // Copies the text of the element that the button names.
    document.addEventListener("click", async (event) => {
        const button = event.target.closest("button[data-copy]");
        if (!button) {
            return;
        }
        const source = document.getElementById(button.dataset.copy);
        try {
            await navigator.clipboard.writeText(source.textContent.trim());
            button.textContent = "Copied";
        } catch {
            // No clipboard without TLS: select the text, so that the keyboard can copy it.
            const range = document.createRange();
            range.selectNodeContents(source);
            getSelection().removeAllRanges();
            getSelection().addRange(range);
            button.textContent = "Selected: press Ctrl+C";
        }
    });
})();
