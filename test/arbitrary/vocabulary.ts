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

/** The values that fields take in inputs; models compare with these, in another case or as another type at times. */
export const fieldValues = {
  "attributes.kind": ["whitepaper", "Webinar", "", 7, null],
  "attributes.amount": [0, 1, 3.3, "12.5", "-4", "1e3", 0.1, -20, 1e7, null],
  "attributes.tags": [["vip", "New"], ["vip", 7], [], "vip"],
  "contact.city": ["Chicago", "BOSTON", "berlin", "", null],
  "contact.title": ["Vice President, Sales", "CEO", "vice-president", "Ceo and CEO", "clerk", 7, null],
  "contact.size": [5, 11, "51", "050.5", 1000, -1, true, null],
  "contact.account.employees": [10, "11", 51, 5000, null],
  "contact.account.parent.name": ["Initech", "initech", null],
} as const;
export type FieldName = keyof typeof fieldValues;

export const textWords = [
  "chicago",
  "BERLIN",
  "whitepaper",
  "webinar",
  "/pricing",
  "initech",
  "ceo",
  "vip",
  "",
] as const;
export const patterns = ["^chi", "price?|PRIC", "vice.?president", "(A|b)$", "WEB|whi", "^$"] as const;
export const keywords = ["ceo", "vice president", "president", "Sales", "clerk", "7"] as const;

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

export const points = fc.constantFrom(1, 2, 5, 10, 25, 0.1, 0.7, 3.3, 0, -1, -5, -10, -0.3);
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
