// Messages through the official client of Anthropic.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import { keyFile, model, startServer, thinkingModel } from './server.mjs';

const keys = keyFile();
const ask = { model: 'tiny', max_tokens: 8, temperature: 0,
              messages: [{ role: 'user', content: 'hello' }] };
const tools = [{ name: 'weather', description: 'The weather', strict: true,
                 input_schema: { type: 'object', properties: { city: { enum: ['Rome', 'Oslo'] } },
                                 required: ['city'], additionalProperties: false } }];
let server, thinking, locked, client;

const connect = (at, apiKey = 'none') => new Anthropic({ baseURL: at.url, apiKey, maxRetries: 0 });

before(async () => {
  server = await startServer(model(), ['--context', '4096']);
  thinking = await startServer(thinkingModel());
  locked = await startServer(model(), ['--keys', keys.path]);
  client = connect(server);
});

after(async () => {
  for (const each of [server, thinking, locked]) await each?.stop();
  keys.remove();
});

test('a message', async () => {
  const reply = await client.messages.create(ask);
  assert.equal(reply.stop_reason, 'max_tokens');
  assert.equal(reply.content[0].type, 'text');
  assert.equal(reply.usage.output_tokens, 8);
  const counted = await client.messages.countTokens({ model: 'tiny', messages: ask.messages });
  assert.equal(counted.input_tokens, reply.usage.input_tokens +
               (reply.usage.cache_read_input_tokens ?? 0));
});

test('the streaming helper says the same', async () => {
  const whole = await client.messages.create(ask);
  let text = '';
  const stream = client.messages.stream(ask).on('text', (delta) => { text += delta; });
  const final = await stream.finalMessage();
  assert.equal(text, whole.content[0].text);
  assert.equal(final.stop_reason, 'max_tokens');
  assert.equal(final.usage.output_tokens, 8);
});

test('thinking is signed, and goes back', async () => {
  const thinker = connect(thinking);
  const asked = { ...ask, max_tokens: 1100, thinking: { type: 'enabled', budget_tokens: 1024 },
                  temperature: 1 };
  let thoughts = '';
  const stream = thinker.messages.stream({ ...asked, max_tokens: 1030 })
    .on('thinking', (delta) => { thoughts += delta; });
  const [block] = (await stream.finalMessage()).content;
  assert.equal(block.type, 'thinking');
  assert.equal(block.thinking, thoughts);
  assert.ok(block.signature.length > 0);
  const next = (first) => thinker.messages.create({ ...asked, max_tokens: 1030, messages: [
    ...ask.messages,
    { role: 'assistant', content: [first, { type: 'text', text: 'yes' }] },
    { role: 'user', content: 'hello' }] });
  assert.equal((await next(block)).role, 'assistant');
  // What the model did not think is left out of its prompt.
  const forged = await next({ ...block, thinking: 'made up' });
  assert.equal(forged.role, 'assistant');
});

test('tools, by name and any, whole and streamed', async () => {
  for (const tool_choice of [{ type: 'tool', name: 'weather' }, { type: 'any' }]) {
    tool_choice.disable_parallel_tool_use = true;
    const asked = { ...ask, max_tokens: 500, tools, tool_choice };
    const reply = await client.messages.create(asked);
    const call = reply.content.find((block) => block.type === 'tool_use');
    assert.equal(reply.stop_reason, 'tool_use');
    assert.ok(['Rome', 'Oslo'].includes(call.input.city));
    let json = '';
    const stream = client.messages.stream(asked).on('inputJson', (delta) => { json += delta; });
    const final = await stream.finalMessage();
    const streamed = final.content.find((block) => block.type === 'tool_use');
    assert.deepEqual(JSON.parse(json), streamed.input);
    const next = await client.messages.create({ ...ask, tools, messages: [
      ...ask.messages, { role: 'assistant', content: reply.content },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: call.id, content: 'rain' }] }] });
    assert.equal(next.usage.output_tokens, 8);
  }
});

test('errors have their classes', async () => {
  await assert.rejects(client.messages.create({ ...ask, temperature: 'hot' }),
                       Anthropic.BadRequestError);
  await assert.rejects(client.messages.create({ ...ask, max_tokens: 0 }), Anthropic.APIError);
  const long = [{ role: 'user', content: 'hello whale '.repeat(3000) }];
  await assert.rejects(client.messages.create({ ...ask, messages: long }), (error) => {
    assert.ok(error instanceof Anthropic.BadRequestError);
    assert.equal(error.error.type, 'error');
    assert.equal(error.error.error.type, 'invalid_request_error');
    return true;
  });
  await assert.rejects(connect(locked, 'mk-wrong').messages.create(ask),
                       Anthropic.AuthenticationError);
  assert.equal((await connect(locked, keys.key).messages.create(ask)).type, 'message');
});

test('an aborted stream ends at the server too', async () => {
  const stream = client.messages.stream({ ...ask, max_tokens: 3000 });
  await new Promise((resolve) => { stream.once('text', resolve); });
  const gone = stream.done().catch((error) => error);
  stream.abort();
  assert.ok(await gone instanceof Anthropic.APIUserAbortError);
  const end = Date.now() + 1000;
  let running;
  do {
    running = (await server.status()).queue.running;
  } while (running > 0 && Date.now() < end);
  assert.equal(running, 0);
});
