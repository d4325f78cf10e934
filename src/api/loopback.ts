/** Which addresses only this machine can reach. */

/** Whether a server that is bound to `host` can be reached from this machine only. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase();
  if (name === "localhost" || name === "::1" || name === "[::1]") return true;
  const parts = name.split(".");
  return (
    parts.length === 4 && parts[0] === "127" && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256)
  );
}

/**
 * Whether a `Host` header names this machine, with any port. A page that makes its own name point here (DNS rebinding)
 * still sends its own name.
 */
export function namesLoopback(header: string | undefined): boolean {
  if (header === undefined) return false;
  const name = header.replace(/:\d{0,5}$/, "");
  return name.toLowerCase() === "localhost" || (isLoopback(name) && name !== "::1");
}
