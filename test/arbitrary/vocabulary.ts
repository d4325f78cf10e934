/**
 * The few words that random models and random inputs share, so that rules do match and inputs do meet.
 */
import fc from "fast-check";

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export const tenants = ["acme", "globex"] as const;
export const contacts = ["ada", "bob", "eve"] as const;

export const types = [
  "email.opened",
  "email.clicked",
  "email.unsubscribed",
  "web.page_viewed",
  "form.submitted",
  "meeting.booked",
] as const;
export const typePatterns = [...types, "email.*", "*"] as const;

export const resources = ["/a", "/b", "/Pricing", "/pricing/team", ""] as const;

/** As some keyboards write it, and some systems export it: letters and marks apart. */
const apart = (text: string): string => text.normalize("NFD");

/** The values that fields take in inputs; models compare with these, in another spelling or as another type at times. */
export const fieldValues = {
  "attributes.kind": ["whitepaper", "Webinar", " webinar\u3000", "ｗｈｉｔｅｐａｐｅｒ", "", "  ", 7, true, null],
  "attributes.amount": [
    0,
    1,
    3.3,
    "12.5",
    "-4",
    "+11",
    " 51\u00a0",
    "1e3",
    "５１",
    0.1,
    -20,
    1e7,
    5e9,
    "-3000000000",
    null,
  ],
  "attributes.tags": [["vip", "New"], ["ＶＩＰ ", 7], [["vip"], null, { vip: "vip" }], [], "vip", null],
  "contact.city": ["Chicago", "BOSTON", "Zürich", apart("Zürich"), " chicago ", "ｂｏｓｔｏｎ", "", null],
  "contact.title": [
    "Vice President, Sales",
    "CEO",
    "vice-president",
    "Ceo and CEO",
    "दान",
    "दिन है",
    apart("대표 이사"),
    "대표",
    apart("Präsident"),
    7,
    null,
  ],
  "contact.tags": [["vip"], ["New", apart("Zürich"), true], "vip", [7, "11"], [], null],
  "contact.size": [5, 11, "51", "050.5", "+11.5", "\t-4 ", 1000, -1, true, null],
  "contact.account.employees": [10, "11", " +51", 5000, [51], null],
  "contact.account.parent.name": ["Initech", "ＩＮＩＴＥＣＨ", "initech\u200a", null],
} as const;
export type FieldName = keyof typeof fieldValues;

export const textWords = [
  "chicago",
  "zürich",
  apart("üri"),
  "ZÜRICH",
  "whitepaper",
  " ＷＥＢ",
  "/pricing",
  "initech",
  "ceo",
  "vip",
  "vi",
  "1",
  "tru",
  "대표",
] as const;
/** Regular expressions look at texts whose spelling is made one, but not their case. */
export const patterns = [
  "^chi",
  "(?i)^CHI",
  "price?|PRIC",
  "(?i)vice.?president",
  "(A|b)$",
  "WEB|whi",
  "^$",
  "^1",
] as const;
export const keywords = [
  "ceo",
  "vice president",
  "president",
  "Sales",
  "７",
  "दिन",
  "दन",
  "대표",
  apart("대표 이사"),
  "präsident",
  "pra",
] as const;
export const lookupKeys = [
  "whitepaper",
  "ＷＥＢＩＮＡＲ",
  "Chicago",
  " boston ",
  apart("ZÜRICH"),
  "대표",
  "7",
  "11",
  "true",
] as const;

/** Other spellings of one text. */
export const spellings: fc.Arbitrary<(text: string) => string> = fc.constantFrom<((text: string) => string)[]>(
  (text) => text,
  (text) => text.toUpperCase(),
  (text) => text.toLowerCase(),
  (text) => text.normalize("NFD"),
  (text) => text.normalize("NFKC"),
  (text) => ` ${text}\u3000`,
  (text) => text.replace(/[!-~]/g, (point) => String.fromCharCode(point.charCodeAt(0) + 0xfee0)),
);

/** False for what a model may not compare with: a text of which nothing is left, a number that is too large. */
export function isOperand(value: string | number | boolean): boolean {
  return typeof value === "number" ? Math.abs(value) <= 1e9 : String(value).normalize("NFKC").trim() !== "";
}

/** Equal for two texts of which a lookup can hold one. */
export function lookupText(text: string): string {
  return text.normalize("NFKC").trim().toLowerCase();
}

export const modelIds = ["lead", "zeal", "Alpha"] as const;
export const dimensionIds = ["engagement", "fit", "intent"] as const;

export const timeZones = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"] as const;

/** Lengths that windows, steps and silences take in models; inputs are placed at these distances of one another. */
export const windowHours = [1, 2, 3, 6, 24, 48, 72] as const;
export const stepLengths = [7 * MINUTE, 30 * MINUTE, HOUR, 90 * MINUTE, 6 * HOUR, DAY, 2 * DAY] as const;

/** Nights in which clocks change in one of the time zones, with the hour around the change (UTC). */
export const clockChanges = [
  Date.UTC(2026, 2, 29, 1), // Berlin, to summer time
  Date.UTC(2026, 9, 25, 1), // Berlin, back
  Date.UTC(2026, 10, 1, 6), // New York, back
  Date.UTC(2026, 3, 4, 15), // Lord Howe, back by half an hour
  Date.UTC(2026, 9, 3, 15, 30), // Lord Howe, forward by half an hour
] as const;

// ---- numbers of rules, and two ways to leave something out ----

export const points = fc.constantFrom(1, 2, 5, 10, 25, 0.1, 0.7, 3.3, 0, 40, -1, -5, -10, -0.3, -25, -40);
export const weight = fc.oneof({ weight: 3, arbitrary: fc.constant(1) }, fc.constantFrom(2, 0.5, 1.1, -1, 0));
export const cap = fc.constantFrom(0, 1, 5, 10.5, 20);
/** Milliseconds, whole hours. */
export const within = fc.constantFrom(...windowHours).map((hours) => hours * HOUR);
export const multiplier = fc.constantFrom(1.5, 2, 0.5, 1.1, 0, 1);

/** Leaves the keys out whose value is undefined, as checked models and decoded inputs do. */
export function dense<T>(parts: object): T {
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined)) as T;
}

/** Undefined once in `freq` + 1 times. */
export function maybe<T>(arbitrary: fc.Arbitrary<T>, freq = 2): fc.Arbitrary<T | undefined> {
  return fc.option(arbitrary, { nil: undefined, freq });
}
