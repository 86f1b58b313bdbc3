/** Why a call gave no answer. `code` is the server's own, or one of ours: unreachable, not_json. */
export class ApiProblem extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly status: number,
    readonly field: string | null = null,
    readonly retryAfterSeconds: number | null = null,
  ) {
    super(message);
    this.name = "ApiProblem";
  }

  /** Asking again later may help: the server is busy, or cannot be reached. */
  get passing(): boolean {
    return this.code === "unreachable" || this.status === 429 || this.status === 503;
  }
}

/**
 * Reads `{"error": {"code", "message", "field"}}`, Prometheus' `{"errorType", "error"}` or Loki's bare sentence;
 * whatever else came becomes a sentence about the status.
 */
export function problemFrom(status: number, body: string, retryAfter: string | null): ApiProblem {
  const wait = retryAfter !== null && /^\d+$/.test(retryAfter) ? Number(retryAfter) : null;
  const said = errorIn(body);
  if (said === null) {
    return new ApiProblem("not_json", `The server answered with status ${status}.`, status, null, wait);
  }
  return new ApiProblem(said.code, said.message, status, said.field, wait);
}

function errorIn(body: string): { code: string; message: string; field: string | null } | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return sentenceIn(body);
  }
  const error = property(parsed, "error");
  const kind = property(parsed, "errorType");
  if (typeof kind === "string" && typeof error === "string")
    return { code: kind, message: error, field: null };
  const [code, message, field] = ["code", "message", "field"].map((name) => property(error, name));
  if (typeof code !== "string" || typeof message !== "string") return null;
  return { code, message, field: typeof field === "string" ? field : null };
}

/** Loki and Tempo answer with one line of text; a proxy with a page of HTML. */
function sentenceIn(body: string): { code: string; message: string; field: null } | null {
  const text = body.trim();
  const plain = text !== "" && text.length < 2_000 && !text.startsWith("<");
  return plain ? { code: "refused", message: text, field: null } : null;
}

function property(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
