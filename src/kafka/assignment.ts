/**
 * Which member of the group has which tasks: as evenly as can be; a task stays where it is, or goes to who has its store
 * already, since making a store anew means folding the whole log of the task.
 */
export interface Member {
  readonly id: string;
  /** The tasks it has now. */
  readonly owned: readonly number[];
  /** The tasks of which it has a store. */
  readonly stores: readonly number[];
}

/**
 * Gives each task to one member: the same members in any order give the same assignment.
 *
 * @param count tasks are numbered from 0
 * @returns by member id, tasks ascending; members differ by one task at most
 */
export function assignTasks(members: readonly Member[], count: number): ReadonlyMap<string, readonly number[]> {
  const sorted = [...members].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  const given = new Map<string, number[]>(sorted.map(({ id }) => [id, []]));
  if (sorted.length === 0) return given;
  const least = Math.floor(count / sorted.length);
  // So many members have one more than the others.
  let more = count % sorted.length;
  const left = new Set(Array.from({ length: count }, (_, task) => task));
  const give = (id: string, task: number): void => {
    const own = given.get(id)!;
    if (own.length === least) more -= 1;
    own.push(task);
    left.delete(task);
  };
  const hasRoom = (id: string): boolean => {
    const { length } = given.get(id)!;
    return length < least || (length === least && more > 0);
  };
  const prefer = (tasksOf: (member: Member) => readonly number[]): void => {
    // Everybody up to the least first: who is asked first must not take what another one has as well.
    for (const limit of [least, least + 1]) {
      for (const member of sorted) {
        for (const task of ascending(tasksOf(member))) {
          if (left.has(task) && given.get(member.id)!.length < limit && hasRoom(member.id)) give(member.id, task);
        }
      }
    }
  };
  prefer(({ owned }) => owned);
  prefer(({ stores }) => stores);
  for (const task of ascending(left)) {
    const fewest = sorted.reduce(
      (best, { id }) => (given.get(id)!.length < given.get(best)!.length ? id : best),
      sorted[0]!.id,
    );
    give(fewest, task);
  }
  for (const [id, tasks] of given) given.set(id, ascending(tasks));
  return given;
}

function ascending(tasks: Iterable<number>): number[] {
  return [...tasks].sort((a, b) => a - b);
}
