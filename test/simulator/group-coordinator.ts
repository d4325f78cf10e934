/**
 * A model of a group's coordinator: generations that begin once all members have joined again, an assignment that the
 * leader brings, and members that are taken out. It has no clock: who is silent for too long is told from outside.
 */
export type GroupErrorType = "REBALANCE_IN_PROGRESS" | "ILLEGAL_GENERATION" | "UNKNOWN_MEMBER_ID";

export class GroupError extends Error {
  readonly type: GroupErrorType;

  constructor(type: GroupErrorType) {
    super(`the coordinator answers ${type}`);
    this.type = type;
  }
}

export interface Joined {
  readonly memberId: string;
  readonly generation: number;
  /** All members with what they say of themselves, for the leader; null for everybody else. */
  readonly members: readonly { readonly memberId: string; readonly memberMetadata: Buffer }[] | null;
}

interface Waiting<T> {
  readonly resolve: (answer: T) => void;
  readonly reject: (error: GroupError) => void;
}

interface GroupMember {
  /** Who has joined under this name. */
  readonly owner: object;
  metadata: Buffer;
  joining: Waiting<Joined> | null;
  syncing: Waiting<Buffer> | null;
}

export class GroupCoordinator {
  readonly #members = new Map<string, GroupMember>();
  #state: "joining" | "syncing" | "stable" = "joining";
  #generation = 0;
  #leader = "";
  #assignments: ReadonlyMap<string, Buffer> = new Map();
  readonly #heard = new Map<object, number>();
  #named = 0;

  get memberIds(): readonly string[] {
    return [...this.#members.keys()];
  }

  get isStable(): boolean {
    return this.#state === "stable";
  }

  /** Whether a member waits for the next generation: then it can't be silent. */
  isJoining(memberId: string): boolean {
    return this.#members.get(memberId)?.joining != null;
  }

  /** Who goes by a name; null: nobody, or he has joined again under another one. */
  ownerOf(memberId: string): object | null {
    const owner = this.#members.get(memberId)?.owner;
    const last = [...this.#members].findLast(([, member]) => member.owner === owner);
    return owner === undefined || last?.[0] !== memberId ? null : owner;
  }

  /**
   * Resolves when the next generation begins.
   *
   * @param memberId null: it has none yet
   * @throws GroupError
   */
  async join(memberId: string | null, metadata: Buffer, owner: object): Promise<Joined> {
    const id = memberId ?? `m${++this.#named}`;
    if (memberId !== null && !this.#members.has(memberId)) throw new GroupError("UNKNOWN_MEMBER_ID");
    const joined = new Promise<Joined>((resolve, reject) => {
      this.#members.set(id, { owner, metadata, joining: { resolve, reject }, syncing: null });
    });
    this.#rebalance();
    return await joined;
  }

  /** Resolves when the leader has brought its assignment. @throws GroupError */
  async sync(memberId: string, generation: number, assignments: ReadonlyMap<string, Buffer> | null): Promise<Buffer> {
    const member = this.#checked(memberId, generation);
    if (this.#state === "joining") throw new GroupError("REBALANCE_IN_PROGRESS");
    if (this.#state === "syncing" && memberId === this.#leader && assignments !== null) {
      this.#assignments = assignments;
      this.#state = "stable";
      for (const [id, { syncing }] of this.#members) syncing?.resolve(this.#assignmentOf(id));
    }
    if (this.#state === "stable") return this.#assignmentOf(memberId);
    return await new Promise((resolve, reject) => {
      member.syncing = { resolve, reject };
    });
  }

  /** @throws GroupError */
  heartbeat(memberId: string, generation: number): void {
    this.#checked(memberId, generation);
    if (this.#state === "joining") throw new GroupError("REBALANCE_IN_PROGRESS");
    const { owner } = this.#members.get(memberId) as GroupMember;
    this.#heard.set(owner, this.heard(owner) + 1);
  }

  /** How many heartbeats of somebody it has taken. */
  heard(owner: object): number {
    return this.#heard.get(owner) ?? 0;
  }

  /** A member leaves, or was silent for too long. */
  remove(memberId: string): void {
    const member = this.#members.get(memberId);
    if (member === undefined) return;
    this.#members.delete(memberId);
    for (const waiting of [member.joining, member.syncing]) waiting?.reject(new GroupError("UNKNOWN_MEMBER_ID"));
    this.#rebalance();
  }

  #rebalance(): void {
    this.#state = "joining";
    for (const member of this.#members.values()) {
      member.syncing?.reject(new GroupError("REBALANCE_IN_PROGRESS"));
      member.syncing = null;
    }
    const all = [...this.#members];
    if (all.length === 0 || all.some(([, { joining }]) => joining === null)) return;
    this.#generation += 1;
    this.#state = "syncing";
    this.#leader = all[0]![0];
    const members = all.map(([memberId, { metadata }]) => ({ memberId, memberMetadata: metadata }));
    for (const [memberId, member] of all) {
      const { joining } = member;
      member.joining = null;
      joining?.resolve({ memberId, generation: this.#generation, members: memberId === this.#leader ? members : null });
    }
  }

  #assignmentOf(memberId: string): Buffer {
    return this.#assignments.get(memberId) ?? Buffer.alloc(0);
  }

  #checked(memberId: string, generation: number): GroupMember {
    const member = this.#members.get(memberId);
    if (member === undefined) throw new GroupError("UNKNOWN_MEMBER_ID");
    if (generation !== this.#generation) throw new GroupError("ILLEGAL_GENERATION");
    return member;
  }
}
