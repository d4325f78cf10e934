import { describe, expect, it } from "vitest";
import { crossingText, renderExplanation, renderTimeline } from "../../src/cli/explanation.js";
import type { Output, ScoreChanged, ThresholdCrossed } from "../../src/events/types.js";
import type { Explanation } from "../../src/fold/explain.js";

const plain = (_style: unknown, text: string): string => text;
const DAY_MS = 86_400_000;
const start = Date.UTC(2026, 0, 1, 9, 30);

function change(day: number, previous: number | null, current: number, over: Partial<ScoreChanged> = {}): ScoreChanged {
  return {
    kind: "ScoreChanged",
    id: `s${day}`,
    tenantId: "acme",
    contactId: "ada",
    model: "lead",
    version: 1,
    previous,
    current,
    delta: current - (previous ?? 0),
    previousGrade: null,
    grade: null,
    dimensions: { score: current },
    at: start + day * DAY_MS,
    cause: { kind: "decay" },
    lines: [{ rule: "clicked", dimension: "score", points: current - (previous ?? 0) }],
    salesReady: false,
    suppressed: false,
    route: null,
    ...over,
  };
}

const click = { cause: { kind: "interaction", id: "c", type: "email.clicked" } } as const;

function crossing({ at, current, previous, cause }: ScoreChanged, over: Partial<ThresholdCrossed>): ThresholdCrossed {
  return {
    kind: "ThresholdCrossed",
    eventId: "t",
    tenantId: "acme",
    contactId: "ada",
    model: "lead",
    version: 1,
    crossing: "threshold",
    id: "50",
    direction: "up",
    at,
    previous,
    current,
    grade: null,
    salesReady: false,
    route: null,
    cause,
    ...over,
  };
}

const timeline = (outputs: readonly Output[], most = 20): string[] => {
  const [, , ...lines] = renderTimeline(outputs, most, plain).trimEnd().split("\n");
  return lines.map((line) => line.trim().replace(/ {2,}/g, " | "));
};

describe("a timeline", () => {
  it("has a line for each change: when, how much, why, what moved, what was crossed", () => {
    const first = change(0, null, 40, click);
    const second = change(1, 40, 55, click);
    expect(timeline([first, second, crossing(second, {}), crossing(second, { crossing: "grade", id: "hot" })])).toEqual(
      [
        "2026-01-01 09:30 | new | 40 | email.clicked | clicked +40",
        "2026-01-02 09:30 | +15 | 55 | email.clicked | clicked +15 | up 50, grade hot",
      ],
    );
  });

  it("draws steps of decay that follow one another together", () => {
    const steps = [change(0, null, 80, click), change(30, 80, 76), change(60, 76, 72), change(90, 72, 68)];
    expect(timeline(steps)).toEqual([
      "2026-01-01 09:30 | new | 80 | email.clicked | clicked +80",
      "2026-04-01 09:30 | -12 | 68 | decay (3 times since 2026-01-31)",
    ]);
  });

  it("keeps a step apart that crossed something, and decay on both sides of activity", () => {
    const crossed = change(60, 76, 72);
    const outputs = [
      change(30, 80, 76),
      crossed,
      crossing(crossed, { id: "75", direction: "down" }),
      change(90, 72, 68),
      change(91, 68, 78, click),
      change(121, 78, 74),
    ];
    expect(timeline(outputs)).toEqual([
      "2026-01-31 09:30 | -4 | 76 | decay | clicked -4",
      "2026-03-02 09:30 | -4 | 72 | decay | clicked -4 | down 75",
      "2026-04-01 09:30 | -4 | 68 | decay | clicked -4",
      "2026-04-02 09:30 | +10 | 78 | email.clicked | clicked +10",
      "2026-05-02 09:30 | -4 | 74 | decay | clicked -4",
    ]);
  });

  it("shows the latest, and says how many it leaves out", () => {
    const outputs = Array.from({ length: 5 }, (_, day) => change(day, day, day + 1, click));
    const text = renderTimeline(outputs, 2, plain);
    expect(text.split("\n")[0]).toBe("  3 earlier changes not shown");
    expect(text).toContain("2026-01-05");
    expect(text).not.toContain("2026-01-03");
  });

  it("paints what rose and what fell", () => {
    const painted = renderTimeline([change(0, 5, 9, click), change(1, 9, 8)], 5, (style, text) => `<${style}>${text}`);
    expect(painted).toMatch(/<green>2026-01-01.*\n.*<red>2026-01-02/);
  });

  it("names every kind of crossing, and shows control characters", () => {
    const base = change(0, null, 1);
    const texts = [
      crossing(base, { crossing: "threshold", id: "25", direction: "down" }),
      crossing(base, { crossing: "trigger", id: "al\u001bert" }),
      crossing(base, { crossing: "salesReady", id: "lead" }),
      crossing(base, { crossing: "salesReady", id: "lead", direction: "down" }),
      crossing(base, { crossing: "grade", id: "sql" }),
    ].map(crossingText);
    expect(texts).toEqual(["down 25", "al\\x1bert", "sales ready", "no longer sales ready", "grade sql"]);
  });
});

describe("an explanation", () => {
  const line = { dimension: "engagement", pool: "decaying", matches: 2, lastMatchAt: start, until: null } as const;
  const explanation: Explanation = {
    score: {
      tenantId: "acme",
      contactId: "ada\u001b[31m",
      model: "lead",
      version: 1,
      score: 40,
      grade: "warm",
      dimensions: { engagement: 40, fit: 0 },
      salesReady: true,
      suppressed: false,
      lastActivityAt: start,
    },
    asOf: start + DAY_MS,
    firstSightAt: start - DAY_MS,
    dimensions: [
      {
        id: "engagement",
        points: 40,
        min: 0,
        max: 40,
        sum: 42.5,
        lines: [
          { ...line, rule: "clicked", points: 45.5 },
          { ...line, rule: "cut", points: -5.5, matches: 0, lastMatchAt: null },
          { ...line, rule: "recent", pool: "standing", points: 2.5, until: start + 7 * DAY_MS },
          { ...line, rule: "silent", points: 0, matches: 0, lastMatchAt: null },
        ],
      },
      { id: "fit", points: 0, min: 0, max: 50, sum: 0, lines: [] },
    ],
    next: null,
  } as unknown as Explanation;

  it("says where every point comes from", () => {
    const text = renderExplanation(explanation, plain).replace(/(\S) {2,}/g, "$1 | ");
    expect(text.split("\n")).toEqual([
      "ada\\x1b[31m under lead@1 as of 2026-01-02T09:30:00.000Z",
      "  score 40 warm (sales ready)",
      "  first seen 2025-12-31 09:30, last active 2026-01-01 09:30",
      "",
      "  engagement 40 of 0..40 (the lines sum to 42.5)",
      "    +45.5 | clicked | decaying | 2 matches | last 2026-01-01 09:30",
      "     -5.5 | cut | cut off by the range",
      "     +2.5 | recent | standing | 2 matches | last 2026-01-01 09:30 | until 2026-01-08 09:30",
      "",
      "  fit 0 of 0..50",
      "    nothing yet",
      "",
      "  next: nothing changes by time alone",
      "",
    ]);
  });

  it("says what suppression does, and what time will change", () => {
    const score = { ...explanation.score, suppressed: true, salesReady: false, grade: null, lastActivityAt: null };
    const next = { at: start + 2 * DAY_MS, cause: "decay", score: 38, lines: [{ rule: "clicked", points: -2.275 }] };
    const text = renderExplanation({ ...explanation, score, next } as unknown as Explanation, plain);
    expect(text).toContain("score 40 (suppressed)");
    expect(text).toContain("never active");
    expect(text).toContain("suppressed: the score shows the model's minimum until");
    expect(text).toContain("next: 2026-01-03 09:30 decay: score 40 -> 38 (clicked -2.275)");
  });
});
