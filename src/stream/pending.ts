/** Inputs of a contact that were received since the last write began, or are in the one that is under way. */
import { compareInputs } from "../events/order.js";
import type { ContactId, EpochMs, Input, TenantId } from "../events/types.js";
import { decodeInputs, inKeyOrder, type StoredInput, storedInput } from "../store/rows.js";

const none: readonly never[] = [];

/** An input is five objects, and waits for the next write: so it does that as the text that is written. */
export class PendingInputs {
  /** In the order of arrival; the first `#packed` of them as they are to be stored. */
  #inputs: (Input | StoredInput)[] | null = null;
  #packed = 0;
  #writing: readonly StoredInput[] = none;

  /** How many wait for the next write. */
  get count(): number {
    return this.#inputs?.length ?? 0;
  }

  add(input: Input): void {
    if (this.#inputs === null) this.#inputs = [input];
    else this.#inputs.push(input);
  }

  pack(): void {
    if (this.#inputs === null) return;
    for (; this.#packed < this.#inputs.length; this.#packed++)
      this.#inputs[this.#packed] = storedInput(this.#inputs[this.#packed] as Input);
  }

  /** Forgets those up to an instant. */
  erase(until: EpochMs): void {
    this.#inputs = this.#inputs?.filter(({ at }) => at > until) ?? null;
    this.#packed = this.#inputs?.filter((one) => "text" in one).length ?? 0;
  }

  /** All of them, also those in the write under way, in the order of arrival. */
  all(tenantId: TenantId, contactId: ContactId): Input[] {
    return [...this.#writing, ...(this.#inputs ?? none)].map((one) => inputOf(one, tenantId, contactId));
  }

  /** Those for a write, in key order, each key once; under way until `written`. */
  beginWrite(tenantId: TenantId, contactId: ContactId): readonly StoredInput[] {
    const inputs = this.#inputs ?? none;
    const isInOrder = inputs.every((one, i) => i === 0 || compareInputs(inputs[i - 1]!, one) < 0);
    if (!isInOrder) {
      this.#inputs = inKeyOrder(inputs.map((one) => inputOf(one, tenantId, contactId)));
      this.#packed = 0;
    }
    this.pack();
    this.#writing = (this.#inputs ?? none) as readonly StoredInput[];
    this.#inputs = null;
    this.#packed = 0;
    return this.#writing;
  }

  written(): void {
    this.#writing = none;
  }
}

function inputOf(one: Input | StoredInput, tenantId: TenantId, contactId: ContactId): Input {
  return "text" in one ? decodeInputs(one.text, tenantId, contactId)[0]! : one;
}
