/**
 * Numbers and texts in one text of ASCII, as short as they are small: what is kept of a contact is written and read tens of
 * thousands of times a second, and as JSON that is most of the work, in objects that live for a moment.
 *
 * A whole number is its digits of six bits, the lowest first, each but the last with bit 6 set; its sign is in the lowest
 * bit. The last digit is never 0 where there are several, so two characters that end so stand for something else.
 */

/** Bit 6: another digit follows. */
const MORE = 64;
const DIGIT = 63;
/** 2^51: whole numbers below this size are written in digits, whatever their sign. */
const WHOLE_MAX = 0x8_0000_0000_0000;
/** 2^30: below it digits are taken with operations on 32 bits. */
const SMALL_MAX = 0x4000_0000;
/** What `MORE + one of these, 0` stands for: the bits of a double, nothing, and in a list so many zeros. */
const DOUBLE = 0;
const NONE = 1;
const ZEROS = 2;
/** A run of fewer zeros is written as it is. */
const ZEROS_MIN = 4;
/** What a number takes at most: an escape and 64 bits, 32 of them in six digits. */
const NUMBER_BYTES = 14;
const CAPACITY = 4096;

const float = new Float64Array(1);
const halves = new Uint32Array(float.buffer);

export class CompactWriter {
  #bytes = Buffer.allocUnsafe(CAPACITY);
  #at = 0;
  #base = 0;

  /**
   * @param base what `instant` counts from: an instant near those that follow
   * @param mark a character in front of all
   */
  begin(base: number, mark: string): void {
    this.#bytes[0] = mark.charCodeAt(0);
    this.#at = 1;
    this.#base = 0;
    this.instant(base);
    this.#base = base;
  }

  /** All that was written since `begin`. */
  end(): string {
    return this.#bytes.toString("latin1", 0, this.#at);
  }

  /** Any double, to the last bit. */
  number(value: number): void {
    if (this.#at + NUMBER_BYTES > this.#bytes.length) this.#grow(NUMBER_BYTES);
    if (value > 0 && value < WHOLE_MAX && Math.floor(value) === value) this.#digits(2 * value);
    else if (value === 0 && !Object.is(value, -0)) this.#bytes[this.#at++] = 0;
    else if (value < 0 && value > -WHOLE_MAX && Math.floor(value) === value) this.#digits(-2 * value - 1);
    else {
      this.#escape(DOUBLE);
      float[0] = value;
      this.#half(halves[0]!);
      this.#half(halves[1]!);
    }
  }

  numberOrNull(value: number | null): void {
    if (value === null) this.#none();
    else this.number(value);
  }

  /** Milliseconds since the epoch. */
  instant(at: number): void {
    const since = this.#base - at;
    // The difference of two instants far from each other is not exact.
    if (since < WHOLE_MAX && since > -WHOLE_MAX && this.#base - since === at) this.number(since);
    else {
      this.#none();
      this.number(at);
    }
  }

  instantOrNull(at: number | null): void {
    if (at === null) {
      this.#none();
      this.#none();
    } else this.instant(at);
  }

  flag(value: boolean): void {
    this.number(value ? 1 : 0);
  }

  numbers(values: readonly number[]): void {
    const { length } = values;
    this.number(length);
    for (let i = 0; i < length; i++) {
      const value = values[i]!;
      let end = i;
      while (end < length && values[end] === 0 && !Object.is(values[end], -0)) end += 1;
      if (end - i < ZEROS_MIN) this.number(value);
      else {
        if (this.#at + NUMBER_BYTES > this.#bytes.length) this.#grow(NUMBER_BYTES);
        this.#escape(ZEROS);
        this.number(end - i);
        i = end - 1;
      }
    }
  }

  flags(values: readonly boolean[]): void {
    this.number(values.length);
    let digit = 0;
    for (let i = 0; i < values.length; i++) {
      if (values[i]) digit |= 1 << (i % 6);
      if (i % 6 !== 5 && i + 1 < values.length) continue;
      this.number(digit);
      digit = 0;
    }
  }

  text(value: string): void {
    const { length } = value;
    if (this.#at + 2 * NUMBER_BYTES + length > this.#bytes.length) this.#grow(2 * NUMBER_BYTES + length);
    const begun = this.#at;
    this.number(2 * length);
    const bytes = this.#bytes;
    let at = this.#at;
    for (let i = 0; i < length; i++) {
      const unit = value.charCodeAt(i);
      if (unit >= 128) {
        this.#at = begun;
        this.#wideText(value);
        return;
      }
      bytes[at++] = unit;
    }
    this.#at = at;
  }

  textOrNull(value: string | null): void {
    if (value === null) this.#none();
    else this.text(value);
  }

  texts(values: Iterable<string>, count: number): void {
    this.number(count);
    for (const value of values) this.text(value);
  }

  /** Unit by unit, so also what is no well-formed UTF-16. */
  #wideText(value: string): void {
    this.number(2 * value.length + 1);
    for (let i = 0; i < value.length; i++) this.number(value.charCodeAt(i));
  }

  #digits(value: number): void {
    const bytes = this.#bytes;
    let at = this.#at;
    let left = value;
    while (left >= SMALL_MAX) {
      const rest = Math.floor(left / MORE);
      bytes[at++] = MORE + (left - rest * MORE);
      left = rest;
    }
    while (left > DIGIT) {
      bytes[at++] = MORE | (left & DIGIT);
      left >>>= 6;
    }
    bytes[at++] = left;
    this.#at = at;
  }

  #half(bits: number): void {
    for (let shift = 0; shift < 32; shift += 6) this.#bytes[this.#at++] = (bits >>> shift) & DIGIT;
  }

  #none(): void {
    if (this.#at + NUMBER_BYTES > this.#bytes.length) this.#grow(NUMBER_BYTES);
    this.#escape(NONE);
  }

  #escape(what: number): void {
    this.#bytes[this.#at++] = MORE + what;
    this.#bytes[this.#at++] = 0;
  }

  #grow(more: number): void {
    const grown = Buffer.allocUnsafe(2 * (this.#bytes.length + more));
    this.#bytes.copy(grown, 0, 0, this.#at);
    this.#bytes = grown;
  }
}

/** Reads what a `CompactWriter` has written, in the same order. */
export class CompactReader {
  #bytes = Buffer.alloc(CAPACITY);
  #end = 0;
  #at = 0;
  #base = 0;

  /** Takes texts of a writer, one or several behind each other; `next` goes to the first, and then to each other. */
  begin(text: string): void {
    if (text.length > this.#bytes.length) this.#bytes = Buffer.alloc(2 * text.length);
    this.#bytes.write(text, "latin1");
    this.#end = text.length;
    this.#at = 0;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#end;
  }

  /** Where the instants of the text count from. */
  get base(): number {
    return this.#base;
  }

  /** @returns the mark */
  next(): string {
    const mark = String.fromCharCode(this.#bytes[this.#at++]!);
    this.#base = 0;
    this.#base = this.instant();
    return mark;
  }

  /** @throws Error where there is more, or less, than was read */
  end(): void {
    if (this.#at !== this.#end) throw new Error(`read up to ${this.#at} of ${this.#end} characters`);
  }

  number(): number {
    const value = this.numberOrNull();
    if (value === null) throw this.#misread();
    return value;
  }

  numberOrNull(): number | null {
    if (this.#at >= this.#end) throw this.#misread();
    const first = this.#bytes[this.#at++]!;
    // Zigzag: the sign is in the lowest bit.
    if (first <= DIGIT) return (first & 1) === 0 ? first >>> 1 : -((first + 1) >>> 1);
    if (this.#bytes[this.#at] === 0) return this.#escaped(first & DIGIT);
    const value = this.#digits(first & DIGIT);
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  instant(): number {
    const at = this.instantOrNull();
    if (at === null) throw this.#misread();
    return at;
  }

  instantOrNull(): number | null {
    const since = this.numberOrNull();
    return since === null ? this.numberOrNull() : this.#base - since;
  }

  flag(): boolean {
    return this.number() === 1;
  }

  /** @param into what it reads into, whatever that held */
  numbers(into: number[] = []): number[] {
    const count = this.number();
    if (into.length > count) into.length = count;
    for (let i = 0; i < count; ) {
      if (this.#bytes[this.#at] === MORE + ZEROS && this.#bytes[this.#at + 1] === 0) {
        this.#at += 2;
        for (const end = i + this.number(); i < end; i++) into[i] = 0;
      } else into[i++] = this.number();
    }
    return into;
  }

  /** @param into as for `numbers` */
  flags(into: boolean[] = []): boolean[] {
    const count = this.number();
    if (into.length > count) into.length = count;
    let digit = 0;
    for (let i = 0; i < count; i++) {
      if (i % 6 === 0) digit = this.number();
      into[i] = (digit & 1) === 1;
      digit >>>= 1;
    }
    return into;
  }

  text(): string {
    const text = this.textOrNull();
    if (text === null) throw this.#misread();
    return text;
  }

  textOrNull(): string | null {
    const length = this.numberOrNull();
    if (length === null) return null;
    if (length % 2 === 0) {
      this.#at += length / 2;
      return this.#bytes.toString("latin1", this.#at - length / 2, this.#at);
    }
    let text = "";
    for (let left = (length - 1) / 2; left > 0; left--) text += String.fromCharCode(this.number());
    return text;
  }

  texts(): string[] {
    const values: string[] = [];
    for (let left = this.number(); left > 0; left--) values.push(this.text());
    return values;
  }

  #escaped(what: number): number | null {
    this.#at += 1;
    if (what === NONE) return null;
    if (what !== DOUBLE) throw this.#misread();
    halves[0] = this.#half();
    halves[1] = this.#half();
    return float[0]!;
  }

  /** What follows a first digit that has another one behind it. */
  #digits(first: number): number {
    const bytes = this.#bytes;
    let value = first;
    let factor = MORE;
    let digit: number;
    do {
      digit = bytes[this.#at++]!;
      value += (digit & DIGIT) * factor;
      factor *= MORE;
    } while (digit > DIGIT);
    return value;
  }

  #half(): number {
    let bits = 0;
    for (let shift = 0; shift < 32; shift += 6) bits |= this.#bytes[this.#at++]! << shift;
    return bits >>> 0;
  }

  #misread(): Error {
    return new Error(`something else was written at character ${this.#at} of ${this.#end}`);
  }
}
