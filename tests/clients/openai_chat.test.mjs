// Chats through the official client of OpenAI.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import OpenAI from 'openai';
import { zodFunction, zodResponseFormat } from 'openai/helpers/zod';
import { z } from 'zod';
import { model, startServer, thinkingModel } from './server.mjs';
import { CheckedWire } from './wire.mjs';

const wire = new CheckedWire();
const messages = [{ role: 'user', content: 'hello' }];
const ask = { model: 'tiny', messages, max_tokens: 8, temperature: 0 };
const Weather = z.object({ city: z.enum(['Rome', 'Oslo']), night: z.boolean() });
const tools = [
  { type: 'function',
    function: { name: 'weather', description: 'The weather', strict: true,
                parameters: z.toJSONSchema(Weather) } },
  { type: 'function',
    function: { name: 'clock', strict: true,
                parameters: { type: 'object', properties: { zone: { enum: ['UTC', 'CET'] } },
                              required: ['zone'], additionalProperties: false } } },
];
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

test('a chat', async () => {
  const reply = await client.chat.completions.create(ask);
  const [choice] = reply.choices;
  assert.equal(choice.finish_reason, 'length');
  assert.equal(choice.message.role, 'assistant');
  assert.ok(choice.message.content.length > 0);
  assert.equal(reply.usage.completion_tokens, 8);
  assert.equal(reply.usage.total_tokens, reply.usage.prompt_tokens + 8);
  assert.match(reply._request_id, /^req_/);
  const other = await client.chat.completions.create(ask);
  assert.notEqual(other._request_id, reply._request_id);
});

test('errors carry the id of their request', async () => {
  const error = await client.chat.completions.create({ ...ask, temperature: 9 })
    .catch((thrown) => thrown);
  assert.ok(error instanceof OpenAI.APIError);
  assert.equal(error.status, 422);
  assert.equal(error.param, 'temperature');
  assert.match(error.requestID, /^req_/);
});

test('a stream says the same, and its usage', async () => {
  const whole = await client.chat.completions.create(ask);
  const stream = await client.chat.completions.create(
    { ...ask, stream: true, stream_options: { include_usage: true } });
  let text = '', usage = null, reason = null;
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta.content ?? '';
    reason = chunk.choices[0]?.finish_reason ?? reason;
    usage = chunk.usage ?? usage;
  }
  assert.equal(text, whole.choices[0].message.content);
  assert.equal(reason, 'length');
  assert.equal(usage.completion_tokens, 8);
  assert.equal(usage.prompt_tokens, whole.usage.prompt_tokens);
});

test('several choices with the scores of their tokens, whole and streamed', async () => {
  const scored = { ...ask, n: 2, temperature: 1, seed: 7, logprobs: true, top_logprobs: 3 };
  const reply = await client.chat.completions.create(scored);
  assert.equal(reply.choices.length, 2);
  for (const { logprobs } of reply.choices) {
    assert.equal(logprobs.content.length, 8);
    for (const token of logprobs.content) {
      assert.equal(token.top_logprobs.length, 3);
      assert.ok(token.logprob <= 0);
    }
  }
  const stream = client.chat.completions.stream({ ...scored, stream: true });
  const final = await stream.finalChatCompletion();
  assert.deepEqual(final.choices.map((c) => c.message.content),
                   reply.choices.map((c) => c.message.content));
  assert.equal(final.choices[1].logprobs.content.length, 8);
});

test('thinking, whole and streamed, and what follows it', async () => {
  // The likelihood of the token that ends thinking is raised: the model's noise seldom has it.
  const { tokens } = await (await fetch(`${thinking.url}/tokenize`, {
    method: 'POST', headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ content: '</think>', parse_special: true }),
  })).json();
  assert.equal(tokens.length, 1);
  let long, reply;
  for (let seed = 0; seed < 64; ++seed) {
    long = { ...ask, temperature: 1, seed, max_tokens: 48, logit_bias: { [tokens[0]]: 3 } };
    reply = await thinker.chat.completions.create(long);
    if (reply.choices[0].message.reasoning_content && reply.choices[0].message.content) break;
  }
  const { message } = reply.choices[0];
  assert.ok(message.reasoning_content.length > 0);
  assert.ok(message.content.length > 0);
  const details = reply.usage.completion_tokens_details;
  assert.ok(details.reasoning_tokens > 0 && details.reasoning_tokens < 48);
  const stream = await thinker.chat.completions.create(
    { ...long, stream: true, stream_options: { include_usage: true } });
  let text = '', thoughts = '', usage;
  for await (const chunk of stream) {
    const delta = chunk.choices[0]?.delta ?? {};
    thoughts += delta.reasoning_content ?? '';
    text += delta.content ?? '';
    usage = chunk.usage ?? usage;
  }
  assert.equal(thoughts, message.reasoning_content);
  assert.equal(text, message.content);
  assert.equal(usage.completion_tokens_details.reasoning_tokens, details.reasoning_tokens);
});

test('a tool that is asked for by name', async () => {
  const reply = await client.chat.completions.create(
    { ...ask, max_tokens: 500, tools, parallel_tool_calls: false,
      tool_choice: { type: 'function', function: { name: 'weather' } } });
  const [choice] = reply.choices;
  assert.equal(choice.message.tool_calls.length, 1);
  assert.equal(choice.message.tool_calls[0].function.name, 'weather');
  Weather.parse(JSON.parse(choice.message.tool_calls[0].function.arguments));
});

test('a tool that is required, by the streaming helper, with parsed arguments', async () => {
  const stream = client.chat.completions.stream(
    { ...ask, max_tokens: 500, tool_choice: 'required', parallel_tool_calls: false,
      tools: [zodFunction({ name: 'weather', parameters: Weather })] });
  let deltas = '', done = 0;
  stream.on('tool_calls.function.arguments.delta', (event) => { deltas += event.arguments_delta; });
  stream.on('tool_calls.function.arguments.done', () => { done += 1; });
  const final = await stream.finalChatCompletion();
  const [call] = final.choices[0].message.tool_calls;
  assert.equal(final.choices[0].finish_reason, 'tool_calls');
  assert.equal(deltas, call.function.arguments);
  assert.equal(done, 1);
  Weather.parse(call.function.parsed_arguments);
});

test('the results of tools go back', async () => {
  const reply = await client.chat.completions.create({ ...ask, tools, messages: [
    ...messages,
    { role: 'assistant', content: null, tool_calls: [
      { id: 'call_1', type: 'function', function: { name: 'clock', arguments: '{"zone":"UTC"}' } }] },
    { role: 'tool', tool_call_id: 'call_1', content: '12:00' },
  ] });
  assert.equal(reply.choices[0].finish_reason, 'length');
});

test('an answer that follows a schema', async () => {
  const format = { ...ask, max_tokens: 500, response_format: zodResponseFormat(Weather, 'weather') };
  const reply = await client.chat.completions.parse(format);
  Weather.parse(reply.choices[0].message.parsed);
  assert.equal(reply.choices[0].finish_reason, 'stop');
  const stream = client.chat.completions.stream(format);
  Weather.parse((await stream.finalChatCompletion()).choices[0].message.parsed);
});

test('tools beside a schema: a call, or an answer that follows it', async () => {
  const Sum = z.object({ sum: z.enum(['one', 'two']) });
  const asked = { ...ask, max_tokens: 500, temperature: 1, tools, parallel_tool_calls: false,
                  response_format: zodResponseFormat(Sum, 'sum') };
  for (let seed = 1; seed <= 6; seed += 1) {
    const { choices: [choice] } = await client.chat.completions.create({ ...asked, seed });
    const [call] = choice.message.tool_calls ?? [];
    assert.equal(choice.finish_reason, call ? 'tool_calls' : 'stop');
    if (call?.function.name === 'weather') Weather.parse(JSON.parse(call.function.arguments));
    if (!call) Sum.parse(JSON.parse(choice.message.content));
  }
});

test('an answer that nobody waits for is not written on', async () => {
  const abort = new AbortController();
  const stream = await client.chat.completions.create(
    { ...ask, max_tokens: 3000, stream: true }, { signal: abort.signal });
  for await (const chunk of stream) {
    if (chunk.choices[0]?.delta.content) break;
  }
  abort.abort();
  const end = Date.now() + 1000;
  let running;
  do {
    running = (await server.status()).queue.running;
  } while (running > 0 && Date.now() < end);
  assert.equal(running, 0);
});
