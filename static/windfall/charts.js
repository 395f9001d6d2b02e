/* What the charts of meters share: colours of the theme, words for axes, and drawing anew. */

const windfallCharts = (() => {
    "use strict";

    const DAY_S = 24 * 3600;

    const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

    const time = (seconds) =>
        new Date(seconds * 1000).toLocaleString("en-GB", {
            day: "numeric",
            month: "short",
            hour: "2-digit",
            minute: "2-digit",
            timeZone: "UTC",
        });

    // Ticks with as many digits as they need to differ from each other.
    const amounts = (ticks, step) => {
        const isLarge = step >= 1e4 && ticks[ticks.length - 1] >= 1e6;
        const format = new Intl.NumberFormat("en-GB", {
            maximumFractionDigits: isLarge || !Number.isInteger(step) ? 2 : 0,
            minimumFractionDigits: isLarge || Number.isInteger(step) ? 0 : 2,
            notation: isLarge ? "compact" : "standard",
        });
        return ticks.map((tick) => format.format(tick));
    };

    const days = (ticks, step) =>
        ticks.map((tick) => {
            const options = step < DAY_S ? { hour: "2-digit", minute: "2-digit" } : { day: "numeric", month: "short" };
            return new Date(tick * 1000).toLocaleString("en-GB", { ...options, timeZone: "UTC" });
        });

    const axis = () => ({
        stroke: colour("--wf-muted"),
        grid: { stroke: colour("--wf-border"), width: 1 },
        ticks: { show: false },
        font: "11px system-ui, sans-serif",
    });

    // A flat line lies in the middle, not on an edge.
    const range = (plot, low, high) =>
        low === high
            ? [Math.max(low - Math.max(low * 0.1, 1), 0), high + Math.max(high * 0.1, 1)]
            : uPlot.rangeNum(low, high, 0.1, false);

    // Drawn anew when there is another room for it, and when the theme turns dark or light.
    const keepDrawn = (place, drawAll) => {
        let plots = [];
        let width = 0;
        const redraw = () => {
            plots.forEach((plot) => plot.destroy());
            plots = drawAll();
            width = place.clientWidth;
        };
        redraw();
        new ResizeObserver(() => {
            if (place.clientWidth !== width) {
                redraw();
            }
        }).observe(place);
        new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["class"] });
    };

    return { amounts, axis, colour, days, keepDrawn, range, time };
})();
