// The AI SDK with its providers for OpenAI's, DeepSeek's and Anthropic's formats.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createAnthropic } from '@ai-sdk/anthropic';
import { createDeepSeek } from '@ai-sdk/deepseek';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { APICallError, generateObject, generateText, streamText, tool } from 'ai';
import { z } from 'zod';
import { model, startServer, thinkingModel } from './server.mjs';
import { CheckedWire } from './wire.mjs';

const wire = new CheckedWire();
const Weather = z.object({ city: z.enum(['Rome', 'Oslo']) });
const tools = { weather: tool({ description: 'The weather', inputSchema: Weather }) };
const ask = { prompt: 'hello', maxOutputTokens: 8, temperature: 0, maxRetries: 0 };
let server, thinking, providers, thinkers;

function connect({ url }) {
  const compatible = createOpenAICompatible({
    name: 'minke', baseURL: `${url}/v1`, fetch: wire.fetch, includeUsage: true,
    supportsStructuredOutputs: true });
  const deepseek = createDeepSeek({ baseURL: url, apiKey: 'none', fetch: wire.fetch });
  const anthropic = createAnthropic({ baseURL: `${url}/v1`, apiKey: 'none' });
  return { compatible: compatible('tiny'), deepseek: deepseek('tiny'),
           anthropic: anthropic('tiny') };
}

before(async () => {
  server = await startServer(model());
  thinking = await startServer(thinkingModel());
  providers = connect(server);
  thinkers = connect(thinking);
});

after(async () => {
  await server?.stop();
  await thinking?.stop();
  await wire.settle();
});

for (const name of ['compatible', 'deepseek', 'anthropic']) {
  test(`${name}: a text, whole and streamed`, async () => {
    const whole = await generateText({ ...ask, model: providers[name] });
    assert.equal(whole.finishReason, 'length');
    assert.equal(whole.usage.outputTokens, 8);
    const stream = streamText({ ...ask, model: providers[name] });
    let text = '';
    for await (const delta of stream.textStream) text += delta;
    assert.equal(text, whole.text);
    assert.equal((await stream.usage).outputTokens, 8);
    assert.equal(await stream.finishReason, 'length');
  });

  test(`${name}: a tool, required and by name`, async () => {
    for (const toolChoice of ['required', { type: 'tool', toolName: 'weather' }]) {
      const asked = { ...ask, model: providers[name], tools, toolChoice, maxOutputTokens: 500 };
      const { toolCalls } = await generateText(asked);
      Weather.parse(toolCalls[0].input);
      Weather.parse((await streamText(asked).toolCalls)[0].input);
    }
  });

  test(`${name}: a value out of range is an error of the call`, async () => {
    await assert.rejects(generateText({ ...ask, model: providers[name], topP: 7 }), (error) => {
      assert.ok(APICallError.isInstance(error));
      assert.ok([400, 422].includes(error.statusCode));
      assert.equal(error.isRetryable, false);
      return true;
    });
  });
}

for (const name of ['compatible', 'deepseek']) {
  test(`${name}: thinking`, async () => {
    const whole = await generateText({ ...ask, model: thinkers[name] });
    assert.ok(whole.reasoningText.length > 0);
    const stream = streamText({ ...ask, model: thinkers[name] });
    assert.equal(await stream.reasoningText, whole.reasoningText);
  });
}

test('compatible: an object that follows a schema', async () => {
  const { object } = await generateObject(
    { ...ask, model: providers.compatible, schema: Weather, maxOutputTokens: 500 });
  Weather.parse(object);
});
