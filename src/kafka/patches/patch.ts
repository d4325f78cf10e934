/**
 * Corrections of kafkajs 2.2.4, which is no longer maintained: modules of it are replaced before anything of it is
 * loaded. So they hold however it was installed, and a test can load it with and without each.
 */
export interface Patch {
  readonly name: string;
  /** The module that is replaced, as `src/producer/groupMessagesPerPartition.js`. */
  readonly file: string;
  /**
   * @param original what the module exports
   * @param load loads another module of the package, by the same kind of path
   * @returns what it exports from now on
   */
  replace(original: unknown, load: (file: string) => unknown): unknown;
}
