// The Responses API through the official client of OpenAI.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import OpenAI from 'openai';
import { zodResponsesFunction, zodTextFormat } from 'openai/helpers/zod';
import { z } from 'zod';
import { model, startServer, thinkingModel } from './server.mjs';
import { CheckedWire } from './wire.mjs';

const wire = new CheckedWire();
const Weather = z.object({ city: z.enum(['Rome', 'Oslo']) });
const ask = { model: 'tiny', input: 'hello', max_output_tokens: 16, temperature: 0, store: false };
let server, thinking, client, thinker;

before(async () => {
  server = await startServer(model());
  thinking = await startServer(thinkingModel());
  const options = { apiKey: 'none', fetch: wire.fetch, maxRetries: 0 };
  client = new OpenAI({ ...options, baseURL: `${server.url}/v1` });
  thinker = new OpenAI({ ...options, baseURL: `${thinking.url}/v1` });
});

after(async () => {
  await server?.stop();
  await thinking?.stop();
  await wire.settle();
});

test('a response', async () => {
  const reply = await client.responses.create(ask);
  assert.equal(reply.status, 'incomplete');
  assert.equal(reply.incomplete_details.reason, 'max_output_tokens');
  assert.ok(reply.output_text.length > 0);
  assert.equal(reply.usage.output_tokens, 16);
});

test('a stream of events says the same', async () => {
  const whole = await client.responses.create(ask);
  const stream = await client.responses.create({ ...ask, stream: true });
  let text = '', number = -1, last;
  for await (const event of stream) {
    assert.equal(event.sequence_number, number + 1);
    number = event.sequence_number;
    if (event.type === 'response.output_text.delta') text += event.delta;
    last = event;
  }
  assert.equal(text, whole.output_text);
  assert.equal(last.type, 'response.incomplete');
  assert.equal(last.response.usage.output_tokens, 16);
});

test('the streaming helper and a schema', async () => {
  const format = { ...ask, max_output_tokens: 500,
                   text: { format: zodTextFormat(Weather, 'weather') } };
  const final = await client.responses.stream(format).finalResponse();
  assert.equal(final.status, 'completed');
  Weather.parse(final.output_parsed);
  Weather.parse((await client.responses.parse(format)).output_parsed);
});

test('thinking is an item of its own', async () => {
  const reply = await thinker.responses.create(ask);
  assert.equal(reply.output[0].type, 'reasoning');
  assert.ok(reply.usage.output_tokens_details.reasoning_tokens > 0);
  const types = new Set();
  for await (const event of await thinker.responses.create({ ...ask, stream: true })) {
    types.add(event.type);
  }
  assert.ok(types.has('response.reasoning_text.delta'));
});

test('a function that is required, whole and streamed, and its result', async () => {
  const call = { ...ask, max_output_tokens: 500, tool_choice: 'required',
                 parallel_tool_calls: false,
                 tools: [zodResponsesFunction({ name: 'weather', parameters: Weather })] };
  const reply = await client.responses.parse(call);
  const found = reply.output.find((item) => item.type === 'function_call');
  Weather.parse(JSON.parse(found.arguments));
  let deltas = '';
  const stream = client.responses.stream(call);
  stream.on('response.function_call_arguments.delta', (event) => { deltas += event.delta; });
  const final = await stream.finalResponse();
  assert.equal(final.output.find((item) => item.type === 'function_call').arguments, deltas);
  const { type, call_id, name, arguments: text } = found;
  const next = await client.responses.create({ ...ask, tools: call.tools, input: [
    { role: 'user', content: 'hello' },
    { type, call_id, name, arguments: text },
    { type: 'function_call_output', call_id, output: 'rain' },
  ] });
  assert.equal(next.usage.output_tokens, 16);
});

test('errors', async () => {
  await assert.rejects(client.responses.create({ ...ask, temperature: 3 }), OpenAI.BadRequestError);
  await assert.rejects(client.responses.create({ ...ask, input: 7 }), OpenAI.BadRequestError);
});
