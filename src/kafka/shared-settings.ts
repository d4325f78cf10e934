/**
 * The settings that an application is scored by, as its processes agree on them: in `<app>.models`, their content under
 * `settings/ID`, and which of them hold under `settings`. Who leads the group decides that each time the group is shared
 * out, before anybody is given a task: so at any time all tasks are with members of one set of settings, and a change of
 * them is for all.
 */
import type { Kafka } from "kafkajs";
import type { Topic } from "../stream/log.js";
import { CompactedTopic } from "./compacted-topic.js";
import { chosenSettings, differencesOf, type Settings, type SettingTexts } from "./settings.js";

const RUNNING = "settings";
const CONTENT = "settings/";
/** What a client puts behind its name to make that of a member. */
const MEMBER_SUFFIX = /-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Which settings hold, and who has tasks by them. */
interface Running {
  readonly id: string;
  readonly members: readonly string[];
}

/** A member of the group, with the settings that it says it has. */
export interface MemberSettings {
  readonly member: string;
  readonly settings: string;
}

export class SharedSettings {
  readonly own: Settings;
  readonly #topic: CompactedTopic;
  readonly #onChange: (text: string) => void;

  /** @param onChange told by the leader, when others than before hold from then on */
  constructor(kafka: Kafka, topic: Topic, own: Settings, onChange: (text: string) => void) {
    this.own = own;
    this.#onChange = onChange;
    this.#topic = new CompactedTopic(kafka, topic);
  }

  /** Makes the own ones known, so that others can say in what they differ. @throws ScorefoldError `log-failed` */
  async learn(): Promise<void> {
    const key = `${CONTENT}${this.own.id}`;
    if (!(await this.#topic.read()).has(key)) await this.#topic.write([[key, JSON.stringify(this.own.texts)]]);
  }

  /**
   * Decides, as the leader of the group, by which settings tasks are scored from here on.
   *
   * @returns their id: only members that have them may be given tasks
   * @throws ScorefoldError `log-failed`
   */
  async agree(members: readonly MemberSettings[]): Promise<string> {
    const ids = members.map(({ settings }) => settings);
    const known = await this.#topic.read();
    const before = runningOf(known);
    const id = chosenSettings(before?.id ?? null, ids);
    const names = members.filter(({ settings }) => settings === id).map(({ member }) => nameOf(member));
    // Also where they stay: who waits is to say for whom.
    if (before?.id !== id || ids.some((one) => one !== id))
      await this.#topic.write([[RUNNING, JSON.stringify({ id, members: names } satisfies Running)]]);
    if (before !== null && before.id !== id) {
      const differences = between(known, id, before.id).join("; ");
      this.#onChange(`from here on the tasks are scored by other settings: ${differences}`);
    }
    return id;
  }

  /**
   * Why a member that was given nothing waits.
   *
   * @returns null where it has the settings that hold, and there are only fewer tasks than members
   * @throws ScorefoldError `log-failed`
   */
  async whyWaiting(): Promise<string | null> {
    const known = await this.#topic.read();
    const running = runningOf(known);
    if (running === null || running.id === this.own.id) return null;
    return (
      `waits: the tasks are scored by other settings, with ${running.members.join(", ")}. In what they differ: ` +
      `${between(known, this.own.id, running.id).join("; ")}. Once the last process with those has ended, the tasks come here and to all that are ` +
      "as this one, and go on where they are"
    );
  }
}

function runningOf(known: ReadonlyMap<string, string>): Running | null {
  const text = known.get(RUNNING);
  return text === undefined ? null : (JSON.parse(text) as Running);
}

/** In what two of the settings that are known differ. */
function between(known: ReadonlyMap<string, string>, here: string, there: string): string[] {
  const texts = [here, there].map((id) => known.get(`${CONTENT}${id}`));
  const [own, other] = texts.map((text) => (text === undefined ? null : (JSON.parse(text) as SettingTexts)));
  return own == null || other == null ? [`${here} here, ${there} there`] : differencesOf(own, other);
}

function nameOf(member: string): string {
  return member.replace(MEMBER_SUFFIX, "");
}
