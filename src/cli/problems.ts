/** Thrown by a command whose checks found problems, after it has told them: exit code 3. */
export class ProblemsFound extends Error {}
