/**
 * Ids of what time does: the same from memory, store and log, and another one where an instant is passed again because a
 * contact's clock was lost.
 */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { HOUR, start } from "./given.js";
import { arrive, beginAnew, changesOf, crash, instantsOf, session, visit, visits } from "./one-session.js";

beforeEach(beginAnew);

describe("the id of what time does", () => {
  const contents = [1, 3, 2].map((n) => visit("a", 1, { attributes: { n } }));
  const erasure = JSON.stringify({ contactId: "a", kind: "profile", at: start + 2, fields: null });

  it.each([
    ["a loser that came last", [...contents, visit("a", 3)], /time\/2\.[0-9a-z]+\/score$/],
    ["an erasure of what had several contents", [...contents, erasure, visit("a", 3)], /time\/1\/score$/],
    [
      "an erasure before what has them",
      [visit("a", 0), erasure.replace(`${start + 2}`, `${start}`), ...contents],
      /time\/1\.[0-9a-z]+\/score$/,
    ],
  ])("is the same from memory, from the store and from the log, after %s", async (_, lines, expected) => {
    const ids: string[] = [];
    for (const crashes of [null, { isStoreLost: false }, { isStoreLost: true }]) {
      await beginAnew();
      // A write after each, so that the store learns of all that has come.
      for (const line of lines) {
        await arrive([line]);
        await session.write();
      }
      if (crashes !== null) await crash(crashes);
      while (await session.fireTimers(start + 4 * HOUR));
      ids.push(changesOf("a").at(-1)!.id);
    }
    expect(ids[0]).toMatch(expected);
    expect(new Set(ids).size).toBe(1);
  });
});

/** The clock of a contact is known to memory and store alone: one that is worked out again may be at an earlier instant. */
describe("an instant that is passed again, with the contact's clock lost", () => {
  const retraction = visit("a", 2 * HOUR, {
    id: "w",
    type: "interaction.retracted",
    attributes: { id: `v${2 * HOUR}`, at: start + 2 * HOUR },
  });

  afterEach(() => {
    const changes = changesOf("a");
    expect(instantsOf("a").filter((at) => at > 2 * HOUR && at < 2 * HOUR + 9).length).toBeGreaterThan(1);
    expect(new Set(changes.map(({ id }) => id)).size).toBe(changes.length);
    // Who follows the outputs ends where the contact is.
    changes.slice(1).forEach(({ previous }, i) => {
      expect([null, changes[i]!.current]).toContain(previous);
    });
    expect(changes.at(-1)!.current).toBe(5);
  });

  it("has another output when a visit had taken it away, and is retracted", async () => {
    await visits(["a", 1]);
    await session.fireTimers(start + 3 * HOUR);
    await visits(["a", 2 * HOUR]);
    await crash({ isStoreLost: true });
    await arrive([retraction]);
    await session.published();
  });

  it("has another output also where the store is a contact's that was erased after inputs had given way", async () => {
    for (const n of [3, 2, 1]) await arrive([visit("a", 1, { attributes: { n } })]);
    await arrive([JSON.stringify({ contactId: "a", kind: "profile", at: start + 2, fields: null })]);
    await session.write();
    await visits(["a", 3]);
    await session.fireTimers(start + 3 * HOUR);
    await visits(["a", 2 * HOUR]);
    await crash({ isStoreLost: false });
    await arrive([retraction]);
    await session.published();
  });

  it("has another output also where inputs had given way before, of which the store knows", async () => {
    await visits(["a", 1]);
    for (const n of [3, 2, 1]) await arrive([visit("a", HOUR, { attributes: { n }, automated: "yes" })]);
    await session.write();
    await session.fireTimers(start + 3 * HOUR);
    await visits(["a", 2 * HOUR]);
    await crash({ isStoreLost: false });
    await arrive([retraction]);
    await session.published();
  });

  it("has another output when other content of a key had taken it away, and gives way to a third", async () => {
    await visits(["a", 1]);
    // Of one key the smaller content holds; what a machine does is no activity.
    await arrive([visit("a", 2 * HOUR, { attributes: { n: 3 }, automated: "yes" })]);
    await session.fireTimers(start + 3 * HOUR);
    await arrive([visit("a", 2 * HOUR, { attributes: { n: 2 } })]);
    await crash({ isStoreLost: true });
    await arrive([visit("a", 2 * HOUR, { attributes: { n: 1 }, automated: "yes" })]);
    await session.published();
  });
});
