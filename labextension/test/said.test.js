/** Each word that a person may read goes through the translator: looked for in the sources, as the compiler reads them. */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import ts from 'typescript';

const SOURCES = new URL('../src/', import.meta.url).pathname;
/** These translate what they are given: `button` and the parts of `element` that are seen do, too (see dom.ts). */
const TELLING = new Set(['t', 'tn', 'button']);
const TOLD = new Set(['title', 'aria-label', 'placeholder']);
/** Where words come to be seen: a call's argument from this one on. */
const SHOWING = { write: 1, say: 0, fail: 0, state: 1, append: 0, prepend: 0, replaceChildren: 0, element: 3, line: 0 };
const ASSIGNED = new Set(['textContent', 'innerText', 'title', 'placeholder', 'ariaLabel', 'alt']);
/** What comes back from a function is words where it begins large or has a space. */
const SENTENCE = /\p{L} \p{L}|^\p{Lu}\p{Ll}+ $|^ \p{L}+/u;
/** Words that are the same in each language, and code. */
const SAME = /^[^a-z]*$|^(Tapis Jobs|JSON|Python|YAML|CSV|\(?UTC\)?|uuid|job|id)$|^(https?|tapis|ssh):|^(import|from) \w|[()=]{2}|\.(csv|out|sh|py)$/i;

/** True for what a person reads as words. */
function isWords(text) {
  return /\p{L}{2}/u.test(text) && !SAME.test(text.trim());
}

function nameOf(call) {
  const { expression } = call;
  return ts.isIdentifier(expression) ? expression.text : ts.isPropertyAccessExpression(expression) ? expression.name.text : '';
}

/** The literals that the value of an expression is made of; what is computed by a call is not looked into. */
function literals(node) {
  if (ts.isStringLiteralLike(node)) {
    return [[node, node.text]];
  }
  if (ts.isTemplateExpression(node)) {
    const parts = [node.head, ...node.templateSpans.map(span => span.literal)].map(part => [part, part.text]);
    return [...parts, ...node.templateSpans.flatMap(span => literals(span.expression))];
  }
  if (ts.isConditionalExpression(node)) {
    return [...literals(node.whenTrue), ...literals(node.whenFalse)];
  }
  if (ts.isBinaryExpression(node) && [ts.SyntaxKind.PlusToken, ts.SyntaxKind.BarBarToken, ts.SyntaxKind.QuestionQuestionToken].includes(node.operatorToken.kind)) {
    return [...literals(node.left), ...literals(node.right)];
  }
  if (ts.isParenthesizedExpression(node) || ts.isAsExpression(node) || ts.isNonNullExpression(node) || ts.isSpreadElement(node)) {
    return literals(node.expression);
  }
  if (ts.isArrayLiteralExpression(node)) {
    return node.elements.flatMap(literals);
  }
  return [];
}

/** The words of a source that are shown without being translated. */
function untold(file, text) {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true);
  const found = [];
  const look = expression => {
    for (const [node, words] of literals(expression)) {
      if (isWords(words)) {
        found.push(`${file}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1}: ${words}`);
      }
    }
  };
  const visit = node => {
    if (ts.isCallExpression(node)) {
      const name = nameOf(node);
      if (name in SHOWING && !TELLING.has(name)) {
        node.arguments.slice(SHOWING[name]).forEach(look);
      }
      if (name === 'setAttribute' && node.arguments[0] && TOLD.has(node.arguments[0].text) && node.arguments[1]) {
        look(node.arguments[1]);
      }
      // A template is another text each time: the translator cannot know it.
      if (TELLING.has(name) || name === 'element') {
        const attributes = name === 'element' ? node.arguments[2] : undefined;
        const given = name === 'button' ? node.arguments.slice(0, 2) : name === 'element' ? [] : node.arguments.slice(0, name === 'tn' ? 2 : 1);
        const told = (attributes?.properties ?? []).filter(each => TOLD.has(each.name?.text)).map(each => each.initializer);
        [...given, ...told].filter(each => each && ts.isTemplateExpression(each)).forEach(look);
      }
    }
    if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.EqualsToken && ts.isPropertyAccessExpression(node.left) && ASSIGNED.has(node.left.name.text)) {
      look(node.right);
    }
    // What comes back from a function that makes words.
    if (ts.isReturnStatement(node) && node.expression) {
      literals(node.expression).filter(([, words]) => SENTENCE.test(words)).forEach(([literal]) => look(literal));
    }
    if (ts.isArrowFunction(node) && !ts.isBlock(node.body)) {
      literals(node.body).filter(([, words]) => SENTENCE.test(words)).forEach(([literal]) => look(literal));
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

const files = readdirSync(SOURCES, { recursive: true }).filter(name => name.endsWith('.ts') && !name.endsWith('.d.ts') && name !== join('core', 'api.ts'));

test('the rule finds words that are shown as they are, and no others', () => {
  const bad = ["write(a, 'Not there');", 'this.say(`Reading ${x} now`);', "element('p', 'tj-a', {}, isA ? 'No jobs' : t('b'));", "a.title = 'A title';",
    'button(`Cancel ${count} jobs`, t("b"), act);', "const f = () => { return 'it failed again'; };", "a.setAttribute('aria-label', 'The list');"];
  assert.deepEqual(bad.filter(text => untold('a.ts', text).length === 0), []);
  const good = ["write(a, t('Not there'));", "this.say('');", "element('p', 'tj-a tj-b', { role: 'status', title: 'A title' }, t('b'), '/ ');", "button('Close', 'Close it', act);",
    "a.setAttribute('role', 'alert');", "const f = () => { return 'application/json'; };"];
  assert.deepEqual(good.flatMap(text => untold('a.ts', text)), []);
});

test('each word of the views goes through the translator', () => {
  assert.ok(files.length > 90);
  assert.deepEqual(files.flatMap(name => untold(name, readFileSync(join(SOURCES, name), 'utf8'))), []);
});
