/** Seeded inputs for the bench: realistic shapes, and cheap enough to make that making them is not what is measured. */
import type { Input } from "../../src/events/types.js";

const typeShares: readonly (readonly [string, number])[] = [
  ["email.opened", 0.42],
  ["web.page_viewed", 0.75],
  ["email.clicked", 0.88],
  ["form.submitted", 0.93],
  ["product.purchased", 0.95],
  ["social.mentioned", 0.97],
  ["meeting.booked", 0.98],
  ["email.unsubscribed", 0.985],
  ["email.delivered", 1],
];
const resources = [
  "/",
  "/pricing",
  "/demo",
  "/docs",
  "/blog/1",
  "/blog/2",
  "/blog/3",
  "/about",
  "/careers",
  "/customers",
];
const startMs = Date.UTC(2025, 0, 1);

/** mulberry32: a small seeded generator of numbers in 0..1. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** `count` inputs of one contact in key order, spread over `spanMs`; the first is a profile. */
export function contactInputs(contactId: string, count: number, spanMs: number, random: () => number): Input[] {
  const tenantId = "default";
  const inputs: Input[] = [
    {
      kind: "profile",
      id: "p",
      tenantId,
      contactId,
      at: startMs,
      fields: {
        title: random() < 0.2 ? "Marketing Director" : "Analyst",
        country: "DE",
        account: { employees: Math.floor(random() * 500) },
      },
    },
  ];
  for (let i = 1; i < count; i++) {
    const draw = random();
    const type = typeShares.find(([, upTo]) => draw < upTo)?.[0] ?? "email.delivered";
    const at = startMs + Math.floor((i * spanMs) / count);
    inputs.push({
      kind: "interaction",
      id: `i${i}`,
      tenantId,
      contactId,
      type,
      at,
      resource: resources[Math.floor(random() * resources.length)]!,
      attributes: type === "product.purchased" ? { amount: Math.floor(random() * 200) } : { form: "whitepaper" },
    });
  }
  return inputs;
}
