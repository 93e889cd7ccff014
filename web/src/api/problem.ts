// What can go wrong between the page and the server. Each kind has words of its own in the
// catalogues: `problem.<kind>`.
export const PROBLEM_KINDS = [
  "unreachable",
  "broken_off",
  "garbled",
  "key",
  "forbidden",
  "quota",
  "too_long",
  "too_large",
  "busy",
  "timeout",
  "request",
  "server",
] as const;

export type ProblemKind = (typeof PROBLEM_KINDS)[number];

export interface ProblemData {
  kind: ProblemKind;
  detail: string; // in the server's words, "" if it said nothing
  retryAfter: number; // seconds that the server asks to wait; 0: not said
}

export class Problem extends Error implements ProblemData {
  constructor(
    readonly kind: ProblemKind,
    readonly detail = "",
    readonly retryAfter = 0,
  ) {
    super(`${kind}: ${detail}`);
  }

  data(): ProblemData {
    return { kind: this.kind, detail: this.detail, retryAfter: this.retryAfter };
  }
}

function kindOfStatus(status: number): ProblemKind {
  switch (status) {
    case 401:
      return "key";
    case 402:
      return "quota";
    case 403:
      return "forbidden";
    case 408:
    case 504:
      return "timeout";
    case 413:
      return "too_large";
    case 429:
    case 503:
      return "busy";
    default:
      return status >= 500 ? "server" : "request";
  }
}

interface ErrorBody {
  message?: unknown;
  code?: unknown;
  type?: unknown;
}

function errorOf(body: unknown): ErrorBody | null {
  if (typeof body !== "object" || body === null || !("error" in body)) return null;
  const error = body.error;
  if (typeof error === "string") return { message: error };
  return typeof error === "object" && error !== null ? error : null;
}

// The problem in a JSON value that may be `{"error": {...}}`; null if it is something else.
export function problemOfBody(body: unknown, status: number, retryAfter = 0): Problem | null {
  const error = errorOf(body);
  if (error === null) return null;
  const detail = typeof error.message === "string" ? error.message : "";
  if (error.code === "context_length_exceeded") return new Problem("too_long", detail);
  return new Problem(kindOfStatus(status), detail, retryAfter);
}

export async function problemOfResponse(response: Response): Promise<Problem> {
  const wait = Number(response.headers.get("Retry-After"));
  const retryAfter = Number.isFinite(wait) && wait > 0 ? Math.min(wait, 3600) : 0;
  const text = await response.text().catch(() => "");
  let body: unknown = null;
  try {
    body = JSON.parse(text);
  } catch {
    // Not JSON: a proxy's page, which says nothing that a person could use.
  }
  return (
    problemOfBody(body, response.status, retryAfter) ??
    new Problem(kindOfStatus(response.status), `HTTP ${response.status}`, retryAfter)
  );
}
