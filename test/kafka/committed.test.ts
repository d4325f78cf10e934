/** What lies beside a committed offset: what the task says, the mark, and that it was the task that has committed it. */
import { expect, it } from "vitest";
import { decodeCommitted, encodeCommitted } from "../../src/kafka/committed.js";
import { decodeMark, encodeMark } from "../../src/stream/marks.js";

const mark = { base: 7, count: 2, at: 1_767_225_600_000, checksum: 5 };

it("comes back as it was written, beside the offset that it was written for", () => {
  for (const metadata of ["", '[1,null,"a"]', "two\nlines"])
    for (const one of [mark, null])
      expect(decodeCommitted(encodeCommitted(metadata, one, 9), 9)).toEqual({
        metadata,
        mark: one === null ? null : decodeMark(encodeMark(one)),
        isOwn: true,
      });
});

it("is not its own beside another offset, whoever has kept it there", () => {
  expect(decodeCommitted(encodeCommitted("own", mark, 9), 0)).toEqual({ metadata: "own", mark: null, isOwn: false });
});

it("is not known to be its own where nothing says so", () => {
  expect(decodeCommitted("", 3)).toEqual({ metadata: "", mark: null, isOwn: null });
  expect(decodeCommitted("[1,null]", 3)).toEqual({ metadata: "[1,null]", mark: null, isOwn: null });
});
