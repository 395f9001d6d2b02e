/* The chart of meters: a small one for each pot, so that a mini is not flat beside a grand. */

(() => {
    "use strict";

    const HEIGHT_PX = 150;
    const { amounts, axis, colour, days, keepDrawn, range, time } = windfallCharts;

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
        return new uPlot(
            {
                width: Math.max(place.clientWidth, 200),
                height: HEIGHT_PX,
                legend: { show: false },
                cursor: { y: false, drag: { x: false, y: false } },
                // The times of the page are UTC everywhere.
                tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
                scales: { x: { time: true }, y: { range } },
                axes: [
                    { ...axis(), space: 70, size: 32, values: (plot, ticks, at, space, step) => days(ticks, step) },
                    { ...axis(), size: 76, space: 36, values: (plot, ticks, at, space, step) => amounts(ticks, step) },
                ],
                series: [
                    {},
                    {
                        stroke: colour("--wf-line"),
                        width: 2,
                        fill: colour("--wf-line-below"),
                        points: { show: false },
                    },
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
        keepDrawn(places[0], () => places.map((place) => draw(place, drawn)));
    };

    document.querySelectorAll("[data-growth]").forEach(follow);
})();
