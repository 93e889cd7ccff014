import { apiKey } from "./key";
import { Problem, problemOfResponse } from "./problem";
import type { ServerStatus } from "./status";
import { readStatus } from "./status";

// The API lies beside the page, also behind a proxy that gives both a common prefix.
function address(path: string): string {
  return new URL(path, document.baseURI).href;
}

// The answer to a request. Throws Problem if there is none or if it is an error, and the
// AbortError of `signal`.
export async function request(
  path: string,
  init: { body?: unknown; signal?: AbortSignal | undefined } = {},
): Promise<Response> {
  const headers: Record<string, string> = {};
  if (apiKey.value) headers["Authorization"] = `Bearer ${apiKey.value}`;
  if (init.body !== undefined) headers["Content-Type"] = "application/json";
  let response: Response;
  try {
    response = await fetch(address(path), {
      method: init.body === undefined ? "GET" : "POST",
      headers,
      body: init.body === undefined ? null : JSON.stringify(init.body),
      signal: init.signal ?? null,
      credentials: "omit",
      cache: "no-store",
    });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new Problem("unreachable");
  }
  if (!response.ok) throw await problemOfResponse(response);
  return response;
}

async function getJson(path: string, signal?: AbortSignal): Promise<unknown> {
  const response = await request(path, { signal });
  try {
    return await response.json();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem("garbled");
  }
}

export async function fetchStatus(signal?: AbortSignal): Promise<ServerStatus> {
  const status = readStatus(await getJson("v1/status", signal));
  if (status === null) throw new Problem("garbled");
  return status;
}

// Names of the models that the server has.
export async function fetchModels(signal?: AbortSignal): Promise<string[]> {
  const body = await getJson("v1/models", signal);
  const data = typeof body === "object" && body !== null && "data" in body ? body.data : null;
  if (!Array.isArray(data)) throw new Problem("garbled");
  return data.flatMap((model: unknown) =>
    typeof model === "object" && model !== null && "id" in model && typeof model.id === "string"
      ? [model.id]
      : [],
  );
}
