/**
 * Dead letters account for every record that is not folded, once. Of two contents of one key the smaller holds, whichever
 * came first; which of the records the letter is put to follows from the order. That is known within a partition of a
 * topic. Over several topics it is the order of fetches, of which nothing is written down: then the losing contents are
 * known, and from how few to how many letters there can be.
 */
import type { CommittedRecord } from "../components/kafka/java-client.js";
import { compareText } from "../oracle/order.js";
import { ArrivedContact, textOf } from "../simulator/arrived.js";
import { differences, type InputRecord, placeOf, type Read } from "./inputs.js";

interface Letter {
  readonly reason: string;
  readonly place: string;
  /** Of a conflict, the content that does not hold, in canonical form. */
  readonly loser: string;
}

/** @returns what is wrong with the dead letters */
export function checkDeadLetters(records: readonly CommittedRecord[], { folded, refused }: Read): string[] {
  const letters = records.map(letterOf);
  const isConflict = ({ reason }: Letter): boolean => reason === "conflict";
  const others = letters.filter((letter) => !isConflict(letter)).map(({ place, reason }) => `${place} ${reason}`);
  const problems = differences(
    "dead letter",
    others,
    [...refused].map(([place, reason]) => `${place} ${reason}`),
  );
  const byPlace = new Map(folded.map((record) => [placeOf(record), record]));
  const byKey = new Map<string, Letter[]>();
  for (const letter of letters.filter(isConflict)) {
    const record = byPlace.get(letter.place);
    if (record === undefined) problems.push(`dead letter of a conflict where there is none: ${letter.place}`);
    else byKey.set(keyOf(record), [...(byKey.get(keyOf(record)) ?? []), letter]);
  }
  for (const [key, own] of grouped(folded)) problems.push(...checkKey(key, own, byKey.get(key) ?? []));
  return problems;
}

function letterOf({ value }: CommittedRecord): Letter {
  const { reason, original, ...place } = JSON.parse(value.toString()) as {
    readonly reason: string;
    readonly original: string;
    readonly topic: string;
    readonly partition: number;
    readonly offset: number;
  };
  return { reason, place: placeOf(place), loser: reason === "conflict" ? textOf(JSON.parse(original)) : "" };
}

function keyOf({ input }: InputRecord): string {
  const { tenantId, contactId, at, kind, id } = input;
  return JSON.stringify([tenantId, contactId, at, kind, id]);
}

function grouped(records: readonly InputRecord[]): ReadonlyMap<string, InputRecord[]> {
  const groups = new Map<string, InputRecord[]>();
  for (const record of records) {
    const own = groups.get(keyOf(record));
    if (own === undefined) groups.set(keyOf(record), [record]);
    else own.push(record);
  }
  return groups;
}

function checkKey(key: string, records: readonly InputRecord[], letters: readonly Letter[]): string[] {
  if (records.length === 1 && letters.length === 0) return [];
  const shown = (place: string, loser: string): string => `${place} ${loser}`;
  const found = letters.map(({ place, loser }) => shown(place, loser));
  if (records.every(({ topic }) => topic === records[0]!.topic)) {
    const contact = new ArrivedContact();
    const expected = records.flatMap((record) => {
      const loser = contact.take(record.input);
      return loser === null ? [] : [shown(placeOf(record), textOf(loser))];
    });
    return differences(`conflict of ${key}`, found, expected);
  }
  const contents = [...new Set(records.map(({ input }) => textOf(input)))].sort(compareText);
  const losers = [...new Set(letters.map(({ loser }) => loser))];
  const problems = differences(`losing content of ${key}`, losers, contents.slice(1));
  if (new Set(letters.map(({ place }) => place)).size !== letters.length)
    problems.push(`conflict of ${key}: two dead letters of one record: ${found.join("; ")}`);
  return problems;
}
