/* The chart of meters: a small one for each pot, so that a mini is not flat beside a grand. */

(() => {
    "use strict";

    const HEIGHT_PX = 150;

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

    const DAY_S = 24 * 3600;

    const days = (ticks, step) =>
        ticks.map((tick) => {
            const options = step < DAY_S ? { hour: "2-digit", minute: "2-digit" } : { day: "numeric", month: "short" };
            return new Date(tick * 1000).toLocaleString("en-GB", { ...options, timeZone: "UTC" });
        });

    // Dashed lines where the pot was won.
    const drawWins = (wins) => (plot) => {
        const { ctx, bbox } = plot;
        ctx.save();
        ctx.strokeStyle = colour("--wf-muted");
        ctx.lineWidth = devicePixelRatio;
        ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
        wins.forEach((win) => {
            const x = Math.round(plot.valToPos(win.at, "x", true));
            if (x >= bbox.left && x <= bbox.left + bbox.width) {
                ctx.beginPath();
                ctx.moveTo(x, bbox.top);
                ctx.lineTo(x, bbox.top + bbox.height);
                ctx.stroke();
            }
        });
        ctx.restore();
    };

    const read = (drawn, texts, wins, index) => {
        if (index === null || index === undefined || texts[index] === null) {
            return "\u00a0";
        }
        const until = drawn.times[index];
        const since = index > 0 ? drawn.times[index - 1] : until - 3600;
        const won = wins.filter((win) => win.at > since && win.at <= until);
        const told = won.map((win) => ` — won: ${win.amount} ${drawn.currency}`).join("");
        return `${time(until)} UTC: ${texts[index]} ${drawn.currency}${told}`;
    };

    const draw = (place, drawn) => {
        const position = Number(place.dataset.growthPot);
        const texts = drawn.pots[position];
        const wins = drawn.wins.filter((win) => win.pot === position);
        const said = place.parentElement.querySelector("[data-growth-read]");
        const axis = {
            stroke: colour("--wf-muted"),
            grid: { stroke: colour("--wf-border"), width: 1 },
            ticks: { show: false },
            font: "11px system-ui, sans-serif",
        };
        const line = colour("--wf-line");
        return new uPlot(
            {
                width: Math.max(place.clientWidth, 200),
                height: HEIGHT_PX,
                legend: { show: false },
                cursor: { y: false, drag: { x: false, y: false } },
                // The times of the page are UTC everywhere.
                tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
                scales: {
                    x: { time: true },
                    y: {
                        // A flat line lies in the middle, not on an edge.
                        range: (plot, low, high) =>
                            low === high
                                ? [Math.max(low - Math.max(low * 0.1, 1), 0), high + Math.max(high * 0.1, 1)]
                                : uPlot.rangeNum(low, high, 0.1, false),
                    },
                },
                axes: [
                    { ...axis, space: 70, size: 32, values: (plot, ticks, at, space, step) => days(ticks, step) },
                    { ...axis, size: 76, space: 36, values: (plot, ticks, at, space, step) => amounts(ticks, step) },
                ],
                series: [
                    {},
                    { stroke: line, width: 2, fill: colour("--wf-line-below"), points: { show: false } },
                ],
                hooks: {
                    draw: [drawWins(wins)],
                    setCursor: [
                        (plot) => {
                            said.textContent = read(drawn, texts, wins, plot.cursor.idx);
                        },
                    ],
                },
            },
            [drawn.times, texts.map((text) => (text === null ? null : Number(text)))],
            place,
        );
    };

    const follow = (growth) => {
        const drawn = JSON.parse(document.getElementById(growth.dataset.growth).textContent);
        const places = [...growth.querySelectorAll("[data-growth-pot]")];
        let plots = [];
        let width = 0;

        const drawAll = () => {
            plots.forEach((plot) => plot.destroy());
            plots = places.map((place) => draw(place, drawn));
            width = places[0].clientWidth;
        };

        drawAll();
        // Drawn anew when there is another room for it, and when the theme turns dark or light.
        new ResizeObserver(() => {
            if (places[0].clientWidth !== width) {
                drawAll();
            }
        }).observe(growth);
        new MutationObserver(drawAll).observe(document.documentElement, { attributeFilter: ["class"] });
    };

    document.querySelectorAll("[data-growth]").forEach(follow);
})();
