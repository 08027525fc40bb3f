/** Asks every question only once, and only when somebody wants to know. A promise is kept as it is, so a failure is shared as well. */
export function once<Question extends readonly unknown[], Answer extends object>(
  ask: (...question: Question) => Answer,
): (...question: Question) => Answer {
  const answers = new Map<string, Answer>();
  return (...question) => {
    const key = JSON.stringify(question);
    const answer = answers.get(key) ?? ask(...question);
    answers.set(key, answer);
    return answer;
  };
}
