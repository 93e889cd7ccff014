// Values of JSON that others wrote, by the type that is wanted of them.

export type JsonObject = Record<string, unknown>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function objectAt(value: JsonObject, name: string): JsonObject {
  const member = value[name];
  return isObject(member) ? member : {};
}

export function textAt(value: JsonObject, name: string): string {
  const member = value[name];
  return typeof member === "string" ? member : "";
}

// A number that is not negative; null for all else.
export function numberAt(value: JsonObject, name: string): number | null {
  const member = value[name];
  return typeof member === "number" && Number.isFinite(member) && member >= 0 ? member : null;
}
