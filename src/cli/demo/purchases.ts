/**
 * A file of purchases as a retailer would export it: many customers who bought once, some who come back, a few who come
 * back often; every instant is a whole day. For tests and measurements where no real file is at hand.
 */
import { formatInstant } from "../../events/time.js";
import { type Random, randomOf } from "./random.js";

export interface PurchaseOptions {
  readonly seed: number;
  /** 23,570 customers make about 70,000 purchases. */
  readonly customers: number;
}

/** 1997-01-01T00:00:00Z; the file ends 18 months later, on 1998-06-30. */
const FIRST_DAY_MS = 852_076_800_000;
const DAYS = 546;
/** Every customer's first purchase is in the first quarter. */
const FIRST_PURCHASE_DAYS = 90;
const DAY_MS = 86_400_000;

/** How many more purchases those make who come back, on average, and what share of them. */
const loyalties = [
  { share: 45, mean: 0.8 },
  { share: 35, mean: 3 },
  { share: 20, mean: 10 },
] as const;

interface Purchase {
  readonly customer: number;
  readonly day: number;
  readonly amount: number;
  readonly quantity: number;
}

/** Generates input lines (JSON, without line ends) by day, then customer; the same for the same options. */
export function* generatePurchases({ seed, customers }: PurchaseOptions): Generator<string, void, undefined> {
  const purchases: Purchase[] = [];
  for (let customer = 1; customer <= customers; customer += 1) {
    for (const purchase of purchasesOf(customer, randomOf(seed, customer))) purchases.push(purchase);
  }
  purchases.sort((a, b) => a.day - b.day || a.customer - b.customer);
  let index = 0;
  for (const { customer, day, amount, quantity } of purchases) {
    yield JSON.stringify({
      kind: "interaction",
      id: `order-${String(index).padStart(6, "0")}`,
      tenantId: "demo",
      contactId: `customer-${String(customer).padStart(5, "0")}`,
      type: "product.purchased",
      at: formatInstant(FIRST_DAY_MS + day * DAY_MS),
      attributes: { amount, quantity },
    });
    index += 1;
  }
}

function purchasesOf(customer: number, random: Random): readonly Purchase[] {
  const first = random.integer(0, FIRST_PURCHASE_DAYS - 1);
  const returns = random.chance(0.5) ? 1 + Math.floor(random.exponential(random.weighted(loyalties).mean)) : 0;
  const purchases = [purchaseOn(customer, first, random)];
  for (let index = 0; index < returns; index += 1) {
    // Most come back soon or not at all: the square draws days towards the first one.
    const share = random.next();
    const day = first + Math.floor(share * share * (DAYS - first));
    purchases.push(purchaseOn(customer, day, random));
  }
  return purchases;
}

function purchaseOn(customer: number, day: number, random: Random): Purchase {
  const quantity = 1 + Math.floor(random.exponential(1.6));
  // A few are given away.
  const each = random.chance(0.001) ? 0 : 10 + random.exponential(6);
  return { customer, day, quantity, amount: Math.round(quantity * each * 100) / 100 };
}
