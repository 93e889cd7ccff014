// A fetch that holds every answer, and every event of every stream, against OpenAI's schemas.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import Ajv from 'ajv/dist/2020.js';

const SCHEMAS = JSON.parse(readFileSync(new URL('openai_schemas.json', import.meta.url)));
// The schema of raw text leaves out what OpenAI's service has always answered: null as the score of
// an echoed text's first token, and null for what is not known yet in the middle of a stream.
const orNull = (schema) => ({ anyOf: [schema, { type: 'null' }] });
const raw = SCHEMAS.$defs.CreateCompletionResponse.properties;
const choice = raw.choices.items.properties;
const scores = choice.logprobs.anyOf[0].properties;
scores.token_logprobs.items = orNull(scores.token_logprobs.items);
scores.top_logprobs.items = orNull(scores.top_logprobs.items);
SCHEMAS.$defs.RawTextChunk = structuredClone(SCHEMAS.$defs.CreateCompletionResponse);
const chunk = SCHEMAS.$defs.RawTextChunk.properties;
chunk.usage = orNull(chunk.usage);
const { properties } = chunk.choices.items;
properties.finish_reason = orNull(properties.finish_reason);

// Beyond JSON Schema's own formats the file uses OpenAPI's, which say nothing that a type does not.
const ajv = new Ajv.default({ strict: false, validateFormats: false });
ajv.addSchema(SCHEMAS, 'openai');

const ANSWERS = [
  [/\/chat\/completions$/, 'CreateChatCompletionResponse', 'CreateChatCompletionStreamResponse'],
  [/\/completions$/, 'CreateCompletionResponse', 'RawTextChunk'],
  [/\/responses$/, 'Response', 'ResponseStreamEvent'],
  [/\/models$/, 'ListModelsResponse'],
  [/\/models\/[^/]+$/, 'Model'],
];

// Of the many kinds of events, the one that an event says it is: its errors can be read.
const EVENTS = new Map();
for (const { $ref } of SCHEMAS.$defs.ResponseStreamEvent.anyOf) {
  const name = $ref.replace('#/$defs/', '');
  const type = SCHEMAS.$defs[name].properties.type;
  EVENTS.set(type.const ?? type.enum[0], name);
}

function violation(name, value) {
  if (name === 'ResponseStreamEvent') {
    name = EVENTS.get(value.type);
    if (!name) return `no such event: ${value.type}`;
  }
  const validate = ajv.getSchema(`openai#/$defs/${name}`);
  if (validate(value)) return null;
  return `${name}: ${ajv.errorsText(validate.errors)} in ${JSON.stringify(value)}`;
}

function events(text) {
  return text.split('\n').filter((line) => line.startsWith('data: '))
    .map((line) => line.slice(6)).filter((data) => data !== '[DONE]').map((data) => JSON.parse(data));
}

export class CheckedWire {
  #pending = [];
  #violations = [];
  checked = 0;

  fetch = async (input, init) => {
    const response = await fetch(input, init);
    this.#pending.push(this.#check(new URL(input.url ?? input).pathname, response.clone()));
    return response;
  };

  #hold(name, value) {
    this.checked += 1;
    const found = violation(name, value);
    if (found) this.#violations.push(found);
  }

  async #check(path, response) {
    const [, whole, streamed] = ANSWERS.find(([pattern]) => pattern.test(path)) ?? [];
    let text;
    try {
      text = await response.text();
    } catch {
      return;  // the test has aborted it
    }
    if (response.status >= 400) {
      this.#hold('ErrorResponse', JSON.parse(text));
    } else if (response.headers.get('content-type').startsWith('text/event-stream')) {
      for (const event of events(text)) this.#hold(streamed, event);
    } else {
      this.#hold(whole, JSON.parse(text));
    }
  }

  /** To be called when all requests are over: fails with what was found. */
  async settle() {
    await Promise.all(this.#pending);
    assert.ok(this.checked > 0, 'nothing was checked');
    assert.deepEqual([...new Set(this.#violations)], []);
  }
}
