// What the fake server answers, by a word in the last message.

const MARKDOWN = `# A heading

A paragraph with **bold**, *italic*, \`code\`, a [link](https://example.org/a?b=1&c=2) and 5 < 6 &amp; more.

<img src=x onerror="window.hacked=1"> <script>window.hacked=2</script> [bad](javascript:window.hacked=3)

1. one
2. two
   - nested
   - [x] ready

| Name | Count |
| :--- | ---: |
| plankton | 12 |
| krill | 3000 |

> A quotation.

\`\`\`python
def is_palindrome(word: str) -> bool:
    """Reads the same both ways."""
    return word == word[::-1]  # a slice
\`\`\`

The sum $a^2 + b^2 = c^2$ costs $5, or \\(x_1\\), and

$$\\int_0^1 \\frac{x^2}{\\sqrt{1+x}}\\,dx$$

مرحبا بالعالم، هذا سطر عربي.
`;

const THINKING = `First I look at what is asked. The sky is *seen* through air.

Then I remember that air scatters short waves more than long ones.`;

const SKY = `The air scatters sunlight in all directions. Blue light has short waves and is scattered \
much more than red light. So wherever you look, blue light reaches your eye.`;

const ARABIC = `السماء زرقاء لأن الهواء يشتّت الضوء الأزرق أكثر من الأحمر.

- الموجات القصيرة تتشتّت أكثر.
- الدالة \`scatter(λ)\` تتناسب مع $\\lambda^{-4}$.`;

// Like tokens: a few letters each, spaces at their beginning.
function pieces(text) {
  return text.match(/\s*\S{1,5}|\s+$/gu) ?? [];
}

// {status, retryAfter}, or {thinking, text: pieces, delay, fault: "cut" | "error" | "garbled"}. With
// `hold`, the text waits behind the thinking until the server's release() is called.
export function answerTo(message, thinkingWanted) {
  const answer = { thinking: [], text: pieces(SKY), delay: 8, finish: "stop", fault: "" };
  if (thinkingWanted) answer.thinking = pieces(THINKING);
  if (/busy/iu.test(message)) return { status: 503, retryAfter: 7 };
  if (/too long/iu.test(message)) return { status: 400, code: "context_length_exceeded" };
  if (/cut/iu.test(message)) return { ...answer, fault: "cut" };
  if (/garbled/iu.test(message)) return { ...answer, fault: "garbled" };
  if (/error/iu.test(message)) return { ...answer, fault: "error" };
  if (/hold/iu.test(message)) return { ...answer, hold: true };
  if (/markdown/iu.test(message)) return { ...answer, thinking: [], text: pieces(MARKDOWN) };
  if (/[\u0600-\u06ff]/u.test(message)) return { ...answer, text: pieces(ARABIC) };
  if (/thousand/iu.test(message)) {
    const numbers = Array.from({ length: 1000 }, (_, index) => `${index + 1}, `);
    return { ...answer, thinking: [], text: numbers, delay: 60 };
  }
  if (/only think/iu.test(message)) return { ...answer, text: [], finish: "length" };
  return answer;
}
