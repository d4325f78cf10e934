/**
 * The demo's stream of inputs: people of several kinds over several months, in the order in which a company's systems
 * would deliver it, so a few per cent late and about one per cent twice. A pure function of its options.
 */
import { compareText } from "../../events/order.js";
import { type EpochMs, type Input, type Interaction, type JsonObject, RETRACTION } from "../../events/types.js";
import { assets, buyingPages, corrections, type Habits, pages, personas, salesPeople } from "./habits.js";
import { drawPerson, fullFields, type Person, sparseFields } from "./people.js";
import { Random, randomOf } from "./random.js";

export interface DemoOptions {
  /** Any integer; the same seed gives the same stream. */
  readonly seed: number;
  /** How many contacts, at least 1. */
  readonly contacts: number;
  /** Nothing happens before. */
  readonly start: EpochMs;
  /** Of 30 days each; nothing happens after the last one, though some of it arrives later. */
  readonly months: number;
}

const TENANT = "default";
const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const WEEK_MS = 7 * DAY_MS;
const MONTH_MS = 30 * DAY_MS;

const LATE_SHARE = 0.03;
const LATE_MEAN_MS = 8 * HOUR_MS;
const DUPLICATE_SHARE = 0.01;
const TUESDAY = 2;
const THURSDAY = 4;

interface Campaign {
  readonly id: string;
  readonly at: EpochMs;
}

/** An input and when it reaches us. */
interface Arrival {
  readonly at: EpochMs;
  readonly input: Input;
}

/** Generates the stream in the order of arrival: not that of the inputs' own instants. */
export function* generateDemo(options: DemoOptions): Generator<Input, void, undefined> {
  const { seed, start } = options;
  const end = start + options.months * MONTH_MS;
  const campaigns = campaignsBetween(start, end);
  const addressBook = new Random(seed);
  const taken = new Set<string>();
  const arrivals: Arrival[] = [];
  for (let index = 0; index < options.contacts; index += 1) {
    const person = drawPerson(addressBook, taken);
    const life = new Life(person, index, randomOf(seed, index), start, end);
    life.live(campaigns);
    // One by one: a spread of a whole life could be too many arguments.
    for (const arrival of life.arrivals) arrivals.push(arrival);
  }
  arrivals.sort((a, b) => a.at - b.at || compareText(a.input.id, b.input.id));
  for (const { input } of arrivals) {
    yield input;
  }
}

/** A newsletter every Tuesday, an offer every other Thursday, at half past nine UTC. */
function campaignsBetween(start: EpochMs, end: EpochMs): readonly Campaign[] {
  const campaigns: Campaign[] = [];
  const firstDay = Math.ceil(start / DAY_MS) * DAY_MS;
  for (let day = firstDay; day < end; day += DAY_MS) {
    const week = Math.floor((day - firstDay) / WEEK_MS) + 1;
    const at = day + 9 * HOUR_MS + 30 * MINUTE_MS;
    if (weekday(day) === TUESDAY) campaigns.push({ id: `newsletter-${week}`, at });
    if (weekday(day) === THURSDAY && week % 2 === 0) campaigns.push({ id: `offer-${week / 2}`, at });
  }
  return campaigns;
}

/** 0 is Sunday; 1970-01-01 was a Thursday. */
function weekday(at: EpochMs): number {
  return (Math.floor(at / DAY_MS) + 4) % 7;
}

/** What one contact does from joining to the end. */
class Life {
  readonly arrivals: Arrival[] = [];
  readonly #habits: Habits;
  readonly #joined: EpochMs;
  /** From here on no more mail is sent. */
  #left = Number.POSITIVE_INFINITY;
  #count = 0;

  constructor(
    readonly person: Person,
    readonly index: number,
    readonly random: Random,
    readonly start: EpochMs,
    readonly end: EpochMs,
  ) {
    this.#habits = random.weighted(personas);
    // Most were on the list when it was imported; the others come one by one.
    const imported = random.chance(0.55);
    this.#joined = imported ? start + random.next() * HOUR_MS : start + random.next() * (end - start - HOUR_MS);
    this.#joined = Math.floor(this.#joined);
  }

  live(campaigns: readonly Campaign[]): void {
    this.#join();
    this.#decideToLeave();
    for (const campaign of campaigns) {
      if (campaign.at > this.#joined && campaign.at < this.#left) this.#receiveMail(campaign);
    }
    this.#visit();
    if (this.#habits.id === "hot-buyer") this.#buy();
    if (this.#habits.id === "customer") this.#order();
    if (this.random.chance(0.03)) this.#beSocial();
    this.#beKnownToSales();
    if (this.#habits.id === "dormant" && this.random.chance(0.008)) {
      this.#profile(this.end - this.random.next() * 3 * WEEK_MS, null);
    }
  }

  /** Imported with a whole profile, or found by a form and enriched a few days later. */
  #join(): void {
    const { person, random } = this;
    if (this.#joined < this.start + HOUR_MS) {
      this.#profile(this.#joined, fullFields(person));
    } else {
      this.#profile(this.#joined, sparseFields(person));
      const form = random.chance(0.7) ? "newsletter" : "whitepaper";
      this.#interaction(this.#joined + 20 * SECOND_MS, "form.submitted", `/forms/${form}`, { form });
      if (random.chance(0.85)) this.#profile(this.#joined + random.exponential(2 * DAY_MS), fullFields(person));
    }
    const promoted = this.#joined + random.next() * (this.end - this.#joined);
    if (random.chance(0.05))
      this.#profile(promoted, fullFields({ ...person, rank: person.rank + random.integer(1, 2) }));
  }

  #decideToLeave(): void {
    const { random } = this;
    if (this.#habits.id === "unreachable") {
      const bounced = this.#joined + random.exponential(3 * WEEK_MS);
      this.#interaction(bounced, "email.bounced", undefined, { kind: random.chance(0.3) ? "soft" : "hard" });
      this.#left = bounced;
    } else if (this.#habits.id === "leaver" || random.chance(0.02)) {
      this.#left = this.#joined + 2 * WEEK_MS + random.exponential(8 * WEEK_MS);
      this.#interaction(this.#left, random.chance(0.92) ? "email.unsubscribed" : "email.complained");
    }
  }

  #receiveMail({ id, at }: Campaign): void {
    const { random, person } = this;
    const sent = at + random.next() * 20 * MINUTE_MS;
    this.#interaction(sent, "email.sent", id);
    if (person.company.scanner) {
      // The gateway follows links before it delivers; not every one says what it is.
      for (let link = random.integer(0, 2); link > 0; link -= 1) {
        const clicked = sent + random.next() * 8 * SECOND_MS;
        this.#interaction(clicked, "email.clicked", `${id}#${link}`, {}, random.chance(0.6) ? "yes" : "maybe");
      }
    }
    if (person.proxied) this.#interaction(sent + random.exponential(5 * MINUTE_MS), "email.opened", id, {}, "yes");
    if (!random.chance(this.#habits.opens * this.#interest(sent))) return;
    const opened = this.#awake(sent + random.exponential(7 * HOUR_MS));
    this.#interaction(opened, "email.opened", id);
    if (!random.chance(this.#habits.clicks)) return;
    const clicked = opened + 15 * SECOND_MS + random.exponential(MINUTE_MS);
    this.#interaction(clicked, "email.clicked", `${id}#1`);
    this.#session(clicked + 2 * SECOND_MS, pages);
    if (random.chance(0.03)) this.#interaction(clicked + random.exponential(HOUR_MS), "email.replied", id);
  }

  /** Sessions that no mail led to, until the end. */
  #visit(): void {
    const { random } = this;
    const { visitsPerWeek, id } = this.#habits;
    if (visitsPerWeek === 0) return;
    let at = this.#joined;
    for (;;) {
      at += random.exponential(WEEK_MS / visitsPerWeek);
      if (at >= this.end) return;
      // Interest that has faded: the visit does not happen.
      if (random.chance(this.#interest(at))) {
        const from = id === "job-seeker" ? [{ share: 1, path: `/careers/${random.integer(1, 5)}` }] : pages;
        this.#session(this.#awake(at), from);
      }
    }
  }

  #session(at: EpochMs, from: readonly { readonly share: number; readonly path: string }[]): void {
    const { random } = this;
    let now = at;
    for (let left = 1 + Math.floor(random.exponential(this.#habits.pages - 0.5)); left > 0; left -= 1) {
      this.#interaction(now, "web.page_viewed", random.weighted(from).path);
      now += 10 * SECOND_MS + random.exponential(75 * SECOND_MS);
    }
    this.#interaction(now, "web.session_ended", undefined, { seconds: Math.round((now - at) / SECOND_MS) });
    if (random.chance(this.#habits.content * this.#interest(at))) this.#useContent(now);
  }

  #useContent(at: EpochMs): void {
    const { random } = this;
    const drawn = random.next();
    if (drawn < 0.45) {
      this.#interaction(at, "form.submitted", "/forms/whitepaper", { form: "whitepaper" });
      this.#interaction(at + 5 * SECOND_MS, "asset.downloaded", random.weighted(assets).path);
    } else if (drawn < 0.75) {
      this.#interaction(at, "web.video_watched", "product-tour", { percent: random.integer(10, 100) });
    } else {
      const held = at + random.integer(3, 14) * DAY_MS;
      this.#interaction(at, "form.submitted", "/forms/webinar", { form: "webinar" });
      if (random.chance(0.6)) this.#interaction(this.#awake(held), "webinar.attended", "webinar-scoring");
    }
  }

  /** Two weeks of everything; then an order, or silence. Recent projects are more frequent: the demo looks at the last days. */
  #buy(): void {
    const { random } = this;
    const begun = Math.max(this.#joined + DAY_MS, this.end - 3 * DAY_MS - random.exponential(5 * WEEK_MS));
    for (let day = 0; day < 14; day += 1) {
      if (random.chance(0.45)) this.#session(this.#awake(begun + day * DAY_MS + random.next() * DAY_MS), buyingPages);
    }
    this.#interaction(this.#awake(begun + 2 * DAY_MS), "asset.downloaded", "/assets/buyers-guide");
    if (random.chance(0.6))
      this.#interaction(this.#awake(begun + 5 * DAY_MS), "asset.downloaded", "/assets/roi-calculator");
    if (random.chance(0.7)) {
      this.#interaction(this.#awake(begun + 7 * DAY_MS), "form.submitted", "/forms/demo", { form: "demo" });
      const booked = this.#awake(begun + 8 * DAY_MS);
      this.#interaction(booked, "meeting.booked", "product-demo");
      const came = random.chance(0.85);
      this.#interaction(booked + 4 * DAY_MS, came ? "meeting.held" : "meeting.missed", "product-demo");
      if (came && random.chance(0.4)) this.#purchase(booked + random.integer(6, 20) * DAY_MS);
    }
  }

  #order(): void {
    let at = this.#joined;
    for (;;) {
      at += this.random.exponential(6 * WEEK_MS);
      if (at >= this.end) return;
      this.#purchase(this.#awake(at));
    }
  }

  #purchase(at: EpochMs): void {
    const quantity = this.random.integer(1, 5);
    const amount = Math.round(quantity * (20 + this.random.exponential(60)) * 100) / 100;
    this.#interaction(at, "product.purchased", undefined, { amount, quantity });
    this.#interaction(at + MINUTE_MS, "conversion.won", undefined, { goal: "order", amount });
  }

  #beSocial(): void {
    const action = this.random.pick(["liked", "shared", "mentioned", "followed"] as const);
    const at = this.#joined + this.random.next() * (this.end - this.#joined);
    this.#interaction(at, `social.${action}`, "linkedin", { action });
    if (this.random.chance(0.4)) this.#interaction(at + DAY_MS, "sms.clicked", "sms-offer");
  }

  /** What people in sales do by hand: corrections, tags, meetings entered by mistake and taken back. */
  #beKnownToSales(): void {
    const { random, person } = this;
    const recent = this.end - random.next() * 6 * WEEK_MS;
    const at = Math.max(this.#joined + HOUR_MS, recent);
    const active = this.#habits.id === "nurtured" || this.#habits.id === "hot-buyer";
    if (random.chance(active ? 0.06 : 0.003)) {
      const { add, reason } = random.weighted(corrections);
      const base = { kind: "adjustment", id: this.#id(), tenantId: TENANT, contactId: person.contactId } as const;
      const model = random.pick(["lead-fit-engagement", "marketing-suite"] as const);
      const by = random.pick(salesPeople);
      this.#push({ ...base, at: Math.floor(this.#awake(at)), model, dimension: "engagement", add, reason, by });
    }
    if (random.chance(0.002)) {
      this.#profile(at, fullFields(person, { tags: [random.chance(0.25) ? "prioritise" : "deprioritise"] }));
    }
    if (random.chance(0.004)) {
      const mistaken = this.#interaction(at, "meeting.booked", "entered-for-the-wrong-contact");
      if (mistaken !== undefined) {
        const attributes = { id: mistaken.id, at: mistaken.at };
        this.#interaction(at + random.integer(1, 30) * HOUR_MS, RETRACTION, undefined, attributes);
      }
    }
  }

  /** From 1 at joining downwards; half after `fadesWeeks`. */
  #interest(at: EpochMs): number {
    return 1 / (1 + (at - this.#joined) / WEEK_MS / this.#habits.fadesWeeks);
  }

  /** Moves an instant out of the night, and mostly out of the weekend, of where the contact lives. */
  #awake(at: EpochMs): EpochMs {
    const { random } = this;
    const zoneMs = this.person.company.zone * HOUR_MS;
    let local = at + zoneMs;
    const hour = Math.floor((local % DAY_MS) / HOUR_MS);
    if (hour < 7 || hour >= 20) {
      const midnight = Math.floor(local / DAY_MS) * DAY_MS + (hour >= 20 ? DAY_MS : 0);
      local = midnight + 8 * HOUR_MS + random.exponential(90 * MINUTE_MS);
    }
    const day = weekday(local);
    if ((day === 0 || day === 6) && random.chance(0.8)) {
      local += (day === 0 ? 1 : 2) * DAY_MS;
    }
    return local - zoneMs;
  }

  #interaction(
    at: EpochMs,
    type: string,
    resource?: string,
    attributes: JsonObject = {},
    automated?: "yes" | "maybe",
  ): Interaction | undefined {
    const input: Interaction = {
      kind: "interaction",
      id: this.#id(),
      tenantId: TENANT,
      contactId: this.person.contactId,
      at: Math.floor(at),
      type,
      ...(resource !== undefined && { resource }),
      ...(automated !== undefined && { automated }),
      attributes,
    };
    return this.#push(input) ? input : undefined;
  }

  #profile(at: EpochMs, fields: JsonObject | null): void {
    const { contactId } = this.person;
    this.#push({ kind: "profile", id: this.#id(), tenantId: TENANT, contactId, at: Math.floor(at), fields });
  }

  #id(): string {
    this.#count += 1;
    return `${String(this.index).padStart(5, "0")}-${String(this.#count).padStart(5, "0")}`;
  }

  /** Delivers an input soon, or hours later, or twice. False when it would be after the end. */
  #push(input: Input): boolean {
    if (input.at >= this.end) return false;
    const { random } = this;
    const delay = random.chance(LATE_SHARE) ? random.exponential(LATE_MEAN_MS) : random.next() * 2 * SECOND_MS;
    const arrival = { at: input.at + Math.floor(delay), input };
    this.arrivals.push(arrival);
    if (random.chance(DUPLICATE_SHARE)) {
      this.arrivals.push({ at: arrival.at + Math.floor(random.exponential(10 * MINUTE_MS)), input });
    }
    return true;
  }
}
