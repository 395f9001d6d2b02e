/* Small helps of the back office. Every page works without them, but for rows that are added. */

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
        document.querySelectorAll("[data-rows]").forEach(renumber);
        document.querySelectorAll("[data-choices]").forEach((group) => {
            showBelonging(group, { clear: false });
        });
    });

    // Icons are words in a font that draws them: a screen reader would say "chevron_right".
    document.addEventListener("DOMContentLoaded", () => {
        document.querySelectorAll(".material-symbols-outlined:not([aria-hidden])").forEach((icon) => {
            const control = icon.closest("a, button");
            const word = icon.textContent.trim();
            const isNamed = !control || control.title || control.ariaLabel || control.textContent.trim() !== word;
            if (isNamed) {
                icon.setAttribute("aria-hidden", "true");
            }
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
