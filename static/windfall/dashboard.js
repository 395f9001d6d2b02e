/* The chart of the home page: what each jackpot of a currency gained; the cards are its legend. */

(() => {
    "use strict";

    const HEIGHT_PX = 240;
    const NOTHING = "–";
    const { amounts, axis, days, keepDrawn, time } = windfallCharts;

    // A line looks as its sign in the legend does.
    const strokeOf = (sign) => {
        const style = getComputedStyle(sign);
        const dashes = style.strokeDasharray;
        return {
            stroke: style.stroke,
            dash: dashes === "none" ? undefined : dashes.split(",").map(Number.parseFloat),
        };
    };

    const tell = (race, drawn, cards, index) => {
        const isSome = index !== null && index !== undefined;
        race.querySelector("[data-race-time]").textContent = isSome ? `${time(drawn.times[index])} UTC` : "\u00a0";
        drawn.lines.forEach((line, place) => {
            const text = isSome ? line.values[index] : "";
            cards[place].querySelector("[data-race-then]").textContent =
                text === null ? NOTHING : text && `${text} ${drawn.currency}`;
        });
    };

    const draw = (race, place, drawn, cards) => {
        const lines = drawn.lines.map((line) => line.gained.map(Number));
        return new uPlot(
            {
                width: Math.max(place.clientWidth, 200),
                height: HEIGHT_PX,
                legend: { show: false },
                cursor: { y: false, drag: { x: false, y: false } },
                // The times of the page are UTC everywhere.
                tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
                scales: { x: { time: true }, y: { range: (plot, low, high) => [0, high * 1.05] } },
                axes: [
                    { ...axis(), space: 70, size: 32, values: (plot, ticks, at, space, step) => days(ticks, step) },
                    { ...axis(), size: 72, space: 36, values: (plot, ticks, at, space, step) => amounts(ticks, step) },
                ],
                series: [
                    {},
                    ...cards.map((card) => ({
                        ...strokeOf(card.querySelector("[data-race-line] line")),
                        width: 2,
                        points: { show: false },
                    })),
                ],
                hooks: { setCursor: [(plot) => tell(race, drawn, cards, plot.cursor.idx)] },
            },
            [drawn.times, ...lines],
            place,
        );
    };

    document.querySelectorAll("[data-race]").forEach((race) => {
        const drawn = JSON.parse(document.getElementById(race.dataset.race).textContent);
        const place = race.querySelector("[data-race-chart]");
        const cards = [...race.querySelectorAll("[data-race-line]")].map((sign) => sign.closest(".wf-card"));
        keepDrawn(place, () => [draw(race, place, drawn, cards)]);
    });
})();
