// The face that was chosen in the back office, light or dark, is the face of these pages too.
(() => {
    let chosen = null;
    try {
        chosen = JSON.parse(localStorage.getItem("adminTheme"));
    } catch {
        // Nothing was chosen, or nothing may be kept: the system's own face it is.
    }
    if (chosen === "light" || chosen === "dark") {
        document.documentElement.dataset.face = chosen;
    }
})();
