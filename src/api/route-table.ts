/** Which methods a path answers to: fastify tells a wrong method from a wrong path only if it is asked for each. */
export interface Route {
  readonly method: string;
  /** With `:name` for each part that varies. */
  readonly path: string;
}

/** In the order of the routes; empty for a path that there is not. */
export function allowedMethods(routes: readonly Route[], url: string): string[] {
  const parts = url.replace(/[?#].*$/s, "").split("/");
  return [...new Set(routes.filter(({ path }) => fits(path.split("/"), parts)).map(({ method }) => method))];
}

function fits(pattern: readonly string[], parts: readonly string[]): boolean {
  return (
    pattern.length === parts.length &&
    pattern.every((one, i) => (one.startsWith(":") ? parts[i] !== "" : one === parts[i]))
  );
}
