/** A host's clock that jumps: what is believed of it, when, and what is said. */
import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { HostClock } from "../../src/stream/host-clock.js";
import { start } from "./given.js";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const DAY = 86_400_000;
const YEAR = 365 * DAY;
const limits = { clockJumpMsMax: DAY, clockSettleMs: MINUTE };

/** A host: time passes for both of its clocks, and jumps for one. */
class HostTime {
  wall = start;
  elapsed = 5;
  readonly notices: string[] = [];
  readonly clock = new HostClock({
    clock: { now: () => this.wall, elapsed: () => this.elapsed },
    limits,
    onNotice: (text) => this.notices.push(text),
  });

  pass(ms: number): void {
    this.wall += ms;
    this.elapsed += ms;
  }

  /** What is believed, at looks every now and then. */
  passLooking(ms: number): number {
    for (let left = ms; left > 0; left -= 200) {
      this.pass(Math.min(left, 200));
      this.clock.look();
    }
    return this.clock.look();
  }
}

let host: HostTime;
beforeEach(() => {
  host = new HostTime();
});

describe("a start", () => {
  it("a year ahead for a second is not believed, and said at once; afterwards all is as before", () => {
    host.clock.begin(start);
    host.wall += YEAR;
    expect(host.clock.look()).toBe(start);
    expect(host.notices).toEqual([
      "the host's clock says 2027-01-01T09:00:00.000Z, 365.0 days beyond the newest instant that the log knows " +
        "(2026-01-01T09:00:00.000Z): timers do not follow it until it has gone on evenly for 60 s. If it is wrong, set " +
        "it right by then: what timers publish can't be taken back",
    ]);
    expect(host.clock.doubt).toBe(host.notices[0]);
    expect(host.clock.aheadMs).toBe(YEAR);
    expect(host.passLooking(SECOND)).toBe(start + SECOND);
    host.wall -= YEAR;
    expect(host.clock.look()).toBe(start + SECOND);
    expect([host.clock.doubt, host.clock.aheadMs]).toEqual([null, 0]);
    expect(host.notices.slice(1)).toEqual([
      "the host's clock is back, at 2026-01-01T09:00:01.000Z: timers follow it again",
    ]);
    expect(host.passLooking(DAY / 24)).toBe(host.wall);
    expect(host.notices).toHaveLength(2);
  });

  it("after a stop of weeks goes on after a minute, and says both", () => {
    host.clock.begin(start - 20 * DAY);
    expect(host.passLooking(MINUTE - SECOND)).toBe(start - 20 * DAY + MINUTE - SECOND);
    expect(host.passLooking(2 * SECOND)).toBe(host.wall);
    expect(host.notices).toHaveLength(2);
    expect(host.notices[1]).toMatch(/has gone on evenly: timers follow it, to 2026-01-01T09:01:00/);
  });

  it("after a stop of less than a day is believed at once, and so is a log in which nothing is", () => {
    host.clock.begin(start - DAY);
    expect(host.clock.look()).toBe(start);
    const fresh = new HostTime();
    fresh.clock.begin(null);
    expect(fresh.clock.look()).toBe(start);
    expect([...host.notices, ...fresh.notices]).toEqual([]);
  });

  it("behind what the log has is said: one of the two was wrong", () => {
    host.clock.begin(start + YEAR);
    expect(host.notices).toEqual([expect.stringMatching(/the log has a record of 2027-01-01T09:00:00.000Z: one of/)]);
    expect(host.clock.look()).toBe(start);
  });
});

describe("a running process", () => {
  beforeEach(() => {
    host.clock.begin(start);
    host.passLooking(10 * MINUTE);
  });

  it("does not follow a jump of a year before it has lasted for a minute", () => {
    const before = host.wall;
    host.wall += YEAR;
    expect(host.passLooking(MINUTE - SECOND)).toBe(before + MINUTE - SECOND);
    expect(host.passLooking(2 * SECOND)).toBe(host.wall);
    expect(host.clock.doubt).toBeNull();
  });

  it("waits anew where it jumps again meanwhile, and says that too", () => {
    host.wall += YEAR;
    host.passLooking(MINUTE - SECOND);
    host.wall += YEAR;
    host.passLooking(MINUTE - SECOND);
    expect(host.clock.doubt).toMatch(/says 2028-/);
    expect(host.notices).toHaveLength(2);
    host.passLooking(2 * SECOND);
    expect(host.clock.now).toBe(host.wall);
  });

  it("does not follow many small jumps further than one", () => {
    const before = host.wall;
    for (let jumps = 0; jumps < 20; jumps++) {
      host.wall += DAY / 2;
      host.clock.look();
    }
    expect(host.clock.look()).toBeLessThanOrEqual(before + DAY);
  });

  it("follows it back, for whoever can go back", () => {
    host.wall -= YEAR;
    expect(host.clock.look()).toBe(host.wall);
    expect(host.notices).toEqual([]);
  });
});

it("never goes further than a jump beyond what has elapsed, but after a minute in which nothing jumped", () => {
  const acts = fc.array(
    fc.record({
      pass: fc.constantFrom(10, SECOND, MINUTE / 2, 2 * MINUTE),
      jump: fc.constantFrom(0, 0, DAY / 2, YEAR, -YEAR),
    }),
    { maxLength: 20 },
  );
  fc.assert(
    fc.property(acts, (all) => {
      const one = new HostTime();
      one.clock.begin(start);
      one.clock.look();
      let [allowed, evenMs] = [start + DAY, 0];
      for (const { pass, jump } of all) {
        one.wall += jump;
        evenMs = jump === 0 ? evenMs : 0;
        // The look that finds the jump, and the one after it has lasted or not.
        expect(one.clock.look()).toBeLessThanOrEqual(Math.max(allowed, one.wall - jump));
        one.pass(pass);
        allowed += pass;
        evenMs += pass;
        if (evenMs >= MINUTE) allowed = one.wall + DAY;
        expect(one.clock.look()).toBeLessThanOrEqual(allowed);
      }
    }),
  );
});
