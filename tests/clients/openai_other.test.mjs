// What OpenAI's client has besides chats and responses: raw text, models, errors, keys.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import OpenAI from 'openai';
import { keyFile, model, startServer } from './server.mjs';
import { CheckedWire } from './wire.mjs';

const wire = new CheckedWire();
const keys = keyFile();
const messages = [{ role: 'user', content: 'hello' }];
let server, locked, client;

const connect = (at, apiKey) =>
  new OpenAI({ baseURL: `${at.url}/v1`, apiKey, fetch: wire.fetch, maxRetries: 0 });
const chat = (fields) =>
  client.chat.completions.create({ model: 'tiny', messages, max_tokens: 4, ...fields });

before(async () => {
  server = await startServer(model(), ['--context', '256']);
  locked = await startServer(model(), ['--keys', keys.path]);
  client = connect(server, 'none');
});

after(async () => {
  await server?.stop();
  await locked?.stop();
  keys.remove();
  await wire.settle();
});

test('raw text with its own scores', async () => {
  const reply = await client.completions.create(
    { model: 'tiny', prompt: 'hello whale', max_tokens: 4, temperature: 0, echo: true, logprobs: 2 });
  const [{ text, logprobs }] = reply.choices;
  assert.ok(text.startsWith('hello whale'));
  assert.equal(logprobs.tokens.length, reply.usage.prompt_tokens + 4);
  assert.equal(logprobs.token_logprobs.length, logprobs.tokens.length);
  assert.equal(logprobs.text_offset.length, logprobs.tokens.length);
  assert.equal(logprobs.token_logprobs[0], null);
  assert.ok(logprobs.token_logprobs.slice(1).every((score) => score <= 0));
});

test('raw text, streamed', async () => {
  const ask = { model: 'tiny', prompt: 'hello', max_tokens: 6, temperature: 0 };
  const whole = await client.completions.create(ask);
  let text = '', usage;
  const stream = await client.completions.create(
    { ...ask, stream: true, stream_options: { include_usage: true } });
  for await (const chunk of stream) {
    text += chunk.choices[0]?.text ?? '';
    usage = chunk.usage ?? usage;
  }
  assert.equal(text, whole.choices[0].text);
  assert.equal(usage.completion_tokens, 6);
});

test('models', async () => {
  const ids = [];
  for await (const entry of client.models.list()) ids.push(entry.id);
  assert.ok(ids.includes('tiny'));
  assert.equal((await client.models.retrieve('tiny')).id, 'tiny');
  await assert.rejects(client.models.retrieve('other'), OpenAI.NotFoundError);
});

test('a value out of range is unprocessable, a wrong type a bad request', async () => {
  await assert.rejects(chat({ temperature: 3 }), (error) => {
    assert.ok(error instanceof OpenAI.UnprocessableEntityError);
    assert.equal(error.param, 'temperature');
    assert.equal(error.type, 'invalid_request_error');
    return true;
  });
  await assert.rejects(chat({ temperature: 'hot' }), OpenAI.BadRequestError);
  await assert.rejects(chat({ messages: [] }), OpenAI.APIError);
  await assert.rejects(chat({ functions: [{ name: 'f' }] }), OpenAI.BadRequestError);
});

test('a prompt that is too long is told as such, also of a stream', async () => {
  const long = [{ role: 'user', content: 'hello whale '.repeat(200) }];
  for (const stream of [false, true]) {
    await assert.rejects(chat({ messages: long, stream }), (error) => {
      assert.ok(error instanceof OpenAI.BadRequestError);
      assert.equal(error.code, 'context_length_exceeded');
      return true;
    });
  }
});

test('embeddings are refused for good', async () => {
  await assert.rejects(client.embeddings.create({ model: 'tiny', input: 'hello' }), (error) => {
    assert.equal(error.status, 501);
    assert.equal(error.code, 'embeddings_not_supported');
    return true;
  });
});

test('a path that is not there', async () => {
  await assert.rejects(client.get('/nothing'), OpenAI.NotFoundError);
});

test('without the right key nothing is answered', async () => {
  const stranger = connect(locked, 'mk-wrong');
  await assert.rejects(stranger.models.list(), OpenAI.AuthenticationError);
  const ask = { model: 'tiny', messages, max_tokens: 2 };
  await assert.rejects(stranger.chat.completions.create(ask), OpenAI.AuthenticationError);
  const reply = await connect(locked, keys.key).chat.completions.create(ask);
  assert.equal(reply.choices.length, 1);
});
