// What the grading rules (规则集) propose for a dispute, for forms that grade while somebody types and while the node is out of reach.
// The rules are those in force: `content` of GET /api/v1/publications/rules/main. `casework::grading` is the same in Rust; a
// test holds both to the same answers.

/** @typedef {"yes" | "no" | "unknown"} Known */
/** @typedef {{signs?: number, violence?: Known, petition_talk?: Known, people?: number | null, disturbs?: Known, effort?: Known}} Answers */
/** @typedef {{any_sign?: boolean, violence?: boolean, petition_talk?: boolean, people?: number, disturbs?: boolean, effort?: boolean}} When */
/** @typedef {{rules: {level: string, fires: string, when: When}[]}} RuleSet */

/** The questions that are answered with yes, no or not known. */
const QUESTIONS = ["violence", "petition_talk", "disturbs", "effort"];

/**
 * Whether a rule fires: all that it names must hold, and "not known" never does.
 * @param {When} when
 * @param {Answers} answers
 */
function holds(when, answers) {
  return (
    (!when.any_sign || (answers.signs ?? 0) !== 0) &&
    QUESTIONS.every((question) => !when[question] || answers[question] === "yes") &&
    (when.people == null || (answers.people ?? 0) >= when.people)
  );
}

/**
 * The level that rules propose, and the rule that fired. The first that holds: rules stand from the highest level down.
 * @param {RuleSet} set
 * @param {string} matter
 * @param {Answers} answers
 * @returns {{level: string | null, fired: string}}
 */
export function propose(set, matter, answers) {
  if (matter !== "dispute") return { level: null, fired: "not_a_dispute" };
  const rule = set.rules.find((each) => holds(each.when, answers));
  return rule ? { level: rule.level, fired: rule.fires } : { level: "yellow", fired: "any_dispute" };
}

/**
 * New answers over earlier ones: "not known" leaves what was known.
 * @param {Answers} earlier
 * @param {Answers} newer
 * @returns {Required<Answers>}
 */
export function merge(earlier, newer) {
  const known = (old, now) => (now == null || now === "unknown" ? (old ?? "unknown") : now);
  const questions = QUESTIONS.map((question) => [question, known(earlier[question], newer[question])]);
  return { signs: newer.signs ?? 0, people: newer.people ?? earlier.people ?? null, ...Object.fromEntries(questions) };
}
