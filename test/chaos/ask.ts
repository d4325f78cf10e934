/** A question over HTTP that must be answered in time. */
export async function ask(url: string, headers: Readonly<Record<string, string>>, waitMs: number): Promise<string> {
  const answer = await fetch(url, { headers, signal: AbortSignal.timeout(waitMs) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${url} answers ${answer.status}: ${text}`);
  return text;
}
