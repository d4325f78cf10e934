/**
 * What upstream apps write, by a seed: mostly what has just happened, some of it late, some dated so that something falls
 * due within a minute or two; records sent twice, records of one key with other contents, records that can't be inputs,
 * records in a partition where their contact does not belong.
 */
import { partitioner } from "../../src/kafka/partitioner.js";
import { Random } from "../simulator/random.js";
import { type InputTopic, PARTITIONS } from "./application.js";

const SECOND = 1_000;
const DAY = 86_400_000;
/** What may be sent again, contradicted or retracted. */
const RECENT = 400;

export interface Message {
  readonly topic: InputTopic;
  readonly key: string;
  readonly value: string | Buffer;
  readonly partition: number;
}

/** Values that are no inputs, and the reason of their dead letters. */
const broken: readonly (readonly [value: string | Buffer, reason: string])[] = [
  ["no json", "undecodable"],
  ["", "undecodable"],
  [Buffer.from([0xff, 0xfe, 0x01]), "undecodable"],
  [`{"kind":"wish","contactId":"c1","at":1e12}`, "unknown-kind"],
  [`{"kind":"interaction","type":"email.opened","id":"x","at":1e12}`, "no-contact"],
  [`{"kind":"interaction","type":"email.opened","id":"x","contactId":"c1","at":"5 May 2026"}`, "bad-instant"],
  [`{"kind":"interaction","id":"x","contactId":"c1","at":1e12}`, "invalid"],
];
const reasons = new Map(broken.map(([value, reason]) => [Buffer.from(value).toString("base64"), reason]));

/** Why a value of the load is no input; null where it is one. */
export function reasonOf(value: Buffer): string | null {
  return reasons.get(value.toString("base64")) ?? null;
}

export const taskOf = partitioner("murmur2", PARTITIONS);

interface Sent {
  readonly topic: InputTopic;
  readonly input: Readonly<Record<string, unknown>> & { readonly contactId: string };
}

export class Load {
  readonly #random: Random;
  readonly #contacts: number;
  readonly #recent: Sent[] = [];
  #count = 0;

  constructor(seed: number, contacts: number) {
    this.#random = new Random(seed);
    this.#contacts = contacts;
  }

  /** The first profile of each contact, older than all else: a contact is never without an input in force. */
  profiles(now: number): Message[] {
    return Array.from({ length: this.#contacts }, (_, i) => {
      const base = { ...this.#who(`c${i}`), id: "first", at: now - 60 * DAY };
      return message("contacts", { kind: "profile", ...base, fields: { size: i % 150 } });
    });
  }

  messages(count: number, now: number): Message[] {
    return Array.from({ length: count }, () => this.#message(now));
  }

  #message(now: number): Message {
    const random = this.#random;
    const what = random.weighted([
      [72, "interaction"],
      [7, "profile"],
      [6, "adjustment"],
      [5, "again"],
      [3, "conflict"],
      [2, "broken"],
      [1, "ahead"],
      [2, "misplaced"],
      [1, "retraction"],
      [1, "erased"],
    ] as const);
    const old = this.#recent.length === 0 ? null : random.pick(this.#recent);
    switch (what) {
      case "profile":
        return this.#send("contacts", {
          ...this.#base(now, "profile"),
          fields: { size: random.between(0, 150) },
        });
      case "adjustment":
        return this.#send("adjustments", {
          ...this.#base(now, "adjustment"),
          ...{ model: "lead", dimension: "engagement" },
          ...(random.chance(0.8) ? { add: random.between(-15, 15) } : { set: random.between(0, 60) }),
        });
      case "again":
        return old === null ? this.#interaction(now) : message(this.#anyTopic(old), old.input);
      case "conflict":
        return old === null ? this.#interaction(now) : this.#conflict(old);
      case "broken":
        return { topic: this.#channel(), key: "c1", value: random.pick(broken)[0], partition: random.between(0, 5) };
      case "ahead":
        return message("interactions.web", this.#visit(now + 2 * DAY, this.#someone()));
      case "misplaced": {
        const topic = this.#channel();
        const right = this.#send(topic, this.#done(topic, this.#when(now), this.#someone()));
        return { ...right, partition: (right.partition + random.between(1, PARTITIONS - 1)) % PARTITIONS };
      }
      case "retraction":
        return old === null || old.input["kind"] === "profile" ? this.#interaction(now) : this.#retraction(old, now);
      case "erased":
        return this.#ofErased(now);
      case "interaction":
        return this.#interaction(now);
      default:
        return what satisfies never;
    }
  }

  #interaction(now: number): Message {
    const topic = this.#channel();
    return this.#send(topic, this.#done(topic, this.#when(now), this.#someone()));
  }

  #conflict({ topic, input }: Sent): Message {
    const field = input["kind"] === "profile" ? "fields" : input["kind"] === "adjustment" ? "reason" : "attributes";
    const other = `other-${this.#random.between(1, 2)}`;
    const value = { ...input, [field]: field === "reason" ? other : { size: 50, other } };
    // Mostly in the same topic, where it is known which came first.
    return message(this.#random.chance(0.8) ? topic : this.#anyTopic({ topic, input }), value);
  }

  #retraction({ topic, input }: Sent, now: number): Message {
    const attributes = { id: input["id"], at: input["at"] };
    const base = { kind: "interaction", ...this.#who(input.contactId), id: this.#id(), at: now };
    return message(topic, { ...base, type: "interaction.retracted", attributes });
  }

  /** Contacts that are erased have no conflicts: whether one has its dead letter before it is erased depends on the order. */
  #ofErased(now: number): Message {
    const who = { ...this.#who(`gone${this.#random.between(0, 9)}`) };
    if (this.#random.chance(0.8)) return message("interactions.web", this.#visit(this.#when(now), who));
    return message("contacts", { kind: "profile", ...who, id: "", at: this.#when(now), fields: null });
  }

  #done(topic: InputTopic, at: number, who: { contactId: string }): Sent["input"] {
    if (topic === "interactions.web") return this.#visit(at, who);
    const type = this.#random.weighted([
      [6, "email.opened"],
      [3, "email.clicked"],
      [1, "email.unsubscribed"],
    ]);
    return { kind: "interaction", ...who, id: this.#id(), at, type, attributes: {} };
  }

  #visit(at: number, who: { contactId: string }): Sent["input"] {
    const resource = this.#random.pick(["/", "/pricing", "/docs", "/about"]);
    const base = { kind: "interaction", ...who, id: this.#id(), at, type: "web.page_viewed", resource };
    return { ...base, attributes: { n: this.#random.between(1, 9) } };
  }

  #send(topic: InputTopic, input: Sent["input"]): Message {
    this.#recent.push({ topic, input });
    if (this.#recent.length > RECENT) this.#recent.shift();
    return message(topic, input);
  }

  #base(now: number, kind: string): Sent["input"] {
    return { kind, ...this.#someone(), id: this.#id(), at: this.#when(now) };
  }

  #when(now: number): number {
    const random = this.#random;
    const due = random.pick([1, 2, 3, 7]) * DAY - random.between(5, 120) * SECOND;
    return random.weighted([
      [6, now - random.between(0, 3 * SECOND)],
      [2, now - due],
      [2, now - random.between(0, 30 * DAY)],
    ]);
  }

  #someone(): { tenantId: string; contactId: string } {
    return this.#who(`c${this.#random.between(0, this.#contacts - 1)}`);
  }

  #who(contactId: string): { tenantId: string; contactId: string } {
    return { tenantId: contactId.endsWith("3") ? "acme" : "default", contactId };
  }

  #channel(): InputTopic {
    return this.#random.pick(["interactions.email", "interactions.web"] as const);
  }

  #anyTopic({ topic }: Sent): InputTopic {
    return this.#random.chance(0.7) ? topic : this.#channel();
  }

  #id(): string {
    this.#count += 1;
    return `i${this.#count}`;
  }
}

function message(topic: InputTopic, input: Sent["input"]): Message {
  return { topic, key: input.contactId, value: JSON.stringify(input), partition: taskOf(input.contactId) };
}
