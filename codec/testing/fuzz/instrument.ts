/**
 * Rewrites a compiled module so that each branch taken counts itself. `node:inspector`'s precise coverage would need no
 * rewriting, but costs a millisecond a run; these counters cost some nanoseconds.
 */
import ts from 'typescript';

/** The global array that instrumented modules count into. */
export const EDGES_GLOBAL = '__latentboxFuzzEdges';

/** Literals that are longer say nothing about a format. */
const MAX_WORD_LENGTH = 24;

export interface Instrumented {
  readonly code: string;
  /** Counters used, from the first given one. */
  readonly edges: number;
  /** String literals of the source: what a parser compares with is mostly among them. */
  readonly words: readonly string[];
}

/** @param firstEdge the counter that the module's first branch gets */
export function instrument(source: string, firstEdge: number): Instrumented {
  const file = ts.createSourceFile('module.js', source, ts.ScriptTarget.ES2023, true, ts.ScriptKind.JS);
  const words = new Set<string>();
  let edge = firstEdge;
  const result = ts.transform(file, [
    (context) => (root) => {
      const { factory } = context;
      const count = (): ts.Expression =>
        factory.createPostfixIncrement(
          factory.createElementAccessExpression(
            factory.createPropertyAccessExpression(factory.createIdentifier('globalThis'), EDGES_GLOBAL),
            edge++,
          ),
        );
      const countStatement = (): ts.Statement => factory.createExpressionStatement(count());
      const counted = (expression: ts.Expression): ts.Expression =>
        factory.createParenthesizedExpression(factory.createComma(count(), expression));
      const block = (statement: ts.Statement): ts.Statement =>
        ts.isBlock(statement) ? statement : factory.createBlock([countStatement(), statement]);

      const visit = (node: ts.Node): ts.Node => {
        if (ts.isStringLiteral(node) && node.text.length <= MAX_WORD_LENGTH && !ts.isImportDeclaration(node.parent)) {
          words.add(node.text);
        }
        const inner = ts.visitEachChild(node, visit, context);
        if (ts.isBlock(inner)) {
          return factory.updateBlock(inner, [countStatement(), ...inner.statements]);
        }
        if (ts.isIfStatement(inner)) {
          const { expression, thenStatement, elseStatement } = inner;
          const otherwise =
            elseStatement === undefined ? factory.createBlock([countStatement()]) : block(elseStatement);
          return factory.updateIfStatement(inner, expression, block(thenStatement), otherwise);
        }
        if (ts.isForStatement(inner)) {
          const { initializer, condition, incrementor, statement } = inner;
          return factory.updateForStatement(inner, initializer, condition, incrementor, block(statement));
        }
        if (ts.isForOfStatement(inner)) {
          const { awaitModifier, initializer, expression, statement } = inner;
          return factory.updateForOfStatement(inner, awaitModifier, initializer, expression, block(statement));
        }
        if (ts.isWhileStatement(inner)) {
          return factory.updateWhileStatement(inner, inner.expression, block(inner.statement));
        }
        if (ts.isCaseClause(inner)) {
          return factory.updateCaseClause(inner, inner.expression, [countStatement(), ...inner.statements]);
        }
        if (ts.isDefaultClause(inner)) {
          return factory.updateDefaultClause(inner, [countStatement(), ...inner.statements]);
        }
        if (ts.isConditionalExpression(inner)) {
          const { condition, questionToken, whenTrue, colonToken, whenFalse } = inner;
          const [yes, no] = [counted(whenTrue), counted(whenFalse)];
          return factory.updateConditionalExpression(inner, condition, questionToken, yes, colonToken, no);
        }
        if (ts.isBinaryExpression(inner) && isLogical(inner.operatorToken.kind)) {
          return factory.updateBinaryExpression(inner, inner.left, inner.operatorToken, counted(inner.right));
        }
        if (ts.isArrowFunction(inner) && !ts.isBlock(inner.body)) {
          const { modifiers, typeParameters, parameters, type, equalsGreaterThanToken, body } = inner;
          const tail = counted(body);
          return factory.updateArrowFunction(
            inner,
            modifiers,
            typeParameters,
            parameters,
            type,
            equalsGreaterThanToken,
            tail,
          );
        }
        return inner;
      };
      return ts.visitEachChild(root, visit, context);
    },
  ]);
  const code = ts.createPrinter().printFile(result.transformed[0] ?? file);
  result.dispose();
  return { code, edges: edge - firstEdge, words: [...words].filter((word) => word !== '') };
}

function isLogical(kind: ts.SyntaxKind): boolean {
  return (
    kind === ts.SyntaxKind.AmpersandAmpersandToken ||
    kind === ts.SyntaxKind.BarBarToken ||
    kind === ts.SyntaxKind.QuestionQuestionToken
  );
}
