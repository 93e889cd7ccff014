import { isObject, numberAt, objectAt, textAt } from "./json";

export interface ModelFacts {
  name: string;
  architecture: string;
  parameters: number | null;
  activeParameters: number | null;
  context: number | null; // tokens
  quantization: string;
  fileBytes: number | null;
  card: string; // Markdown, "" if the model has none
}

export interface ServerStatus {
  model: ModelFacts;
  running: number | null;
  waiting: number | null;
  pages: number | null;
  pagesInUse: number | null;
  hitTokens: number | null; // of the prompt tokens so far, those that were in the cache
  promptTokens: number | null;
  promptTokensPerSecond: number | null;
  generatedTokensPerSecond: number | null;
  uptimeSeconds: number | null;
}

// The answer to GET /v1/status; null if it is something else.
export function readStatus(body: unknown): ServerStatus | null {
  if (!isObject(body) || !isObject(body["model"])) return null;
  const model = body["model"];
  const queue = objectAt(body, "queue");
  const cache = objectAt(body, "cache");
  const throughput = objectAt(body, "throughput");
  return {
    model: {
      name: textAt(model, "name"),
      architecture: textAt(model, "architecture"),
      parameters: numberAt(model, "parameters"),
      activeParameters: numberAt(model, "active_parameters"),
      context: numberAt(model, "context"),
      quantization: textAt(model, "quantization"),
      fileBytes: numberAt(model, "file_bytes"),
      card: textAt(model, "card"),
    },
    running: numberAt(queue, "running"),
    waiting: numberAt(queue, "waiting"),
    pages: numberAt(cache, "pages"),
    pagesInUse: numberAt(cache, "pages_in_use"),
    hitTokens: numberAt(cache, "hit_tokens"),
    promptTokens: numberAt(cache, "prompt_tokens"),
    promptTokensPerSecond: numberAt(throughput, "prompt_tokens_per_second"),
    generatedTokensPerSecond: numberAt(throughput, "generated_tokens_per_second"),
    uptimeSeconds: numberAt(body, "uptime_seconds"),
  };
}
