/* The charts of a simulation: final balances, completions by time, cost by requirement. */

(() => {
    "use strict";

    const HEIGHT_PX = 220;

    const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

    // Ticks with as many digits as they need to differ from each other.
    const numbers = (ticks, step) => {
        const isLarge = step >= 1e4;
        const format = new Intl.NumberFormat("en-GB", {
            maximumFractionDigits: isLarge ? 1 : Math.max(0, -Math.floor(Math.log10(step))),
            notation: isLarge ? "compact" : "standard",
        });
        return ticks.map((tick) => format.format(tick));
    };

    const hours = (ticks, step) => {
        const isDays = ticks[ticks.length - 1] >= 48;
        return numbers(
            ticks.map((tick) => (isDays ? tick / 24 : tick)),
            isDays ? step / 24 : step,
        ).map((text) => `${text} ${isDays ? "d" : "h"}`);
    };

    const line = (plot, from, to) => {
        const { ctx } = plot;
        ctx.save();
        ctx.strokeStyle = colour("--wf-muted");
        ctx.lineWidth = devicePixelRatio;
        ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
        ctx.beginPath();
        ctx.moveTo(...from);
        ctx.lineTo(...to);
        ctx.stroke();
        ctx.restore();
    };

    // Dashed: the terms that were simulated, and the cost that is acceptable.
    const marks = (data) => (plot) => {
        const { left, top, width, height } = plot.bbox;
        if (data.multiple !== null) {
            const x = Math.round(plot.valToPos(data.multiple, "x", true));
            line(plot, [x, top], [x, top + height]);
        }
        const y = Math.round(plot.valToPos(data.acceptable, "y", true));
        line(plot, [left, y], [left + width, y]);
    };

    const KINDS = {
        bars: { values: numbers, y: (low, high) => [0, high * 1.05 || 1], paths: () => uPlot.paths.bars({ size: [0.9, 80] }) },
        completions: { values: hours, y: (low, high) => [0, high * 1.05 || 1], paths: () => uPlot.paths.stepped({ align: 1 }) },
        costs: {
            values: (ticks, step) => numbers(ticks, step).map((text) => `${text} ×`),
            y: (low, high, data) => uPlot.rangeNum(Math.min(low, data.acceptable), Math.max(high, data.acceptable), 0.1, false),
            paths: () => uPlot.paths.linear(),
            marks,
        },
    };

    const draw = (place, data) => {
        const name = place.dataset.simulated;
        const kind = KINDS[name];
        const points = data[name];
        const said = place.parentElement.querySelector("[data-simulated-read]");
        const axis = {
            stroke: colour("--wf-muted"),
            grid: { stroke: colour("--wf-border"), width: 1 },
            ticks: { show: false },
            font: "11px system-ui, sans-serif",
        };
        return new uPlot(
            {
                width: Math.max(place.clientWidth, 200),
                height: HEIGHT_PX,
                legend: { show: false },
                cursor: { y: false, drag: { x: false, y: false }, points: { show: name !== "bars" } },
                scales: {
                    // A bar stands around its place: the first begins at the edge.
                    x: { time: false, range: (plot, low, high) => (name === "bars" ? [0, high + low] : [low, high]) },
                    y: { range: (plot, low, high) => kind.y(low, high, data) },
                },
                axes: [
                    { ...axis, space: 64, size: 32, values: (plot, ticks, at, space, step) => kind.values(ticks, step) },
                    { ...axis, space: 36, size: 56, values: (plot, ticks, at, space, step) => numbers(ticks, step) },
                ],
                series: [
                    {},
                    {
                        stroke: colour("--wf-line"),
                        width: name === "bars" ? 1 : 2,
                        fill: name === "costs" ? undefined : colour(name === "bars" ? "--wf-bar" : "--wf-line-below"),
                        paths: kind.paths(),
                        points: { show: false },
                    },
                ],
                hooks: {
                    draw: kind.marks ? [kind.marks(data)] : [],
                    setCursor: [
                        (plot) => {
                            const point = points[plot.cursor.idx];
                            said.textContent = point ? `${point.name}: ${point.share}` : "\u00a0";
                        },
                    ],
                },
            },
            [points.map((point) => point.x), points.map((point) => point.y)],
            place,
        );
    };

    const source = document.getElementById("simulated");
    if (!source) {
        return;
    }
    const data = JSON.parse(source.textContent);
    const places = [...document.querySelectorAll("[data-simulated]")];
    let plots = [];
    let width = 0;

    const drawAll = () => {
        plots.forEach((plot) => plot.destroy());
        plots = places.map((place) => draw(place, data));
        width = places[0].clientWidth;
    };

    if (places.length) {
        drawAll();
        // Drawn anew when there is another room for it, and when the theme turns dark or light.
        new ResizeObserver(() => {
            if (places[0].clientWidth !== width) {
                drawAll();
            }
        }).observe(places[0].parentElement);
        new MutationObserver(drawAll).observe(document.documentElement, { attributeFilter: ["class"] });
    }
})();
