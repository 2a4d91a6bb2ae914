// Free variables of one function, by a scope walk over its syntax tree. Strict-mode rules: functions in blocks
// are block-scoped, there is no `with`. Only names are resolved; nothing is executed.
import type { AnyNode, Function as FunctionNode, Node, Pattern } from 'acorn';

/** What a function uses of the world around it. */
export interface Usage {
  /** Names no scope inside the function declares, in order of first use. */
  readonly free: readonly string[];
  /** `this` (or `new.target`) of the function's surroundings or of its own call. */
  readonly usesThis: boolean;
  readonly usesSuper: boolean;
  readonly usesImportMeta: boolean;
  /** `#name` of a class the function is not part of. */
  readonly privateName: string | undefined;
}

type Scope = { readonly names: Set<string>; readonly outer: Scope | undefined };

/** Finds what `root`, an expression that is the function to ship, uses from outside itself. */
export function usageOf(root: Node): Usage {
  const walk = new Walk();
  walk.visit(root as AnyNode, undefined, 0);
  return {
    free: [...walk.free],
    usesThis: walk.usesThis,
    usesSuper: walk.usesSuper,
    usesImportMeta: walk.usesImportMeta,
    privateName: walk.privateName,
  };
}

class Walk {
  readonly free = new Set<string>();
  usesThis = false;
  usesSuper = false;
  usesImportMeta = false;
  privateName: string | undefined;
  readonly #privateNames: Set<string>[] = [];

  /** `thisDepth`: functions and classes entered that have a `this` of their own, the shipped one not counted. */
  visit(node: AnyNode, scope: Scope | undefined, thisDepth: number): void {
    switch (node.type) {
      case 'Identifier':
        this.#use(node.name, scope);
        return;
      case 'PrivateIdentifier':
        if (!this.#privateNames.some((names) => names.has(node.name)))
          this.privateName ??= node.name;
        return;
      case 'ThisExpression':
        if (thisDepth === 0) this.usesThis = true;
        return;
      case 'Super':
        if (thisDepth === 0) this.usesSuper = true;
        return;
      case 'MetaProperty':
        if (node.meta.name === 'import') this.usesImportMeta = true;
        else if (thisDepth === 0) this.usesThis = true;
        return;
      case 'FunctionDeclaration':
      case 'FunctionExpression':
      case 'ArrowFunctionExpression':
        this.#function(node, scope, thisDepth);
        return;
      case 'ClassDeclaration':
      case 'ClassExpression':
        this.#class(node, scope, thisDepth);
        return;
      case 'BlockStatement':
      case 'StaticBlock':
        this.#children(node, block(node.body, scope), thisDepth);
        return;
      case 'ForStatement':
        this.#children(node, block([node.init], scope), thisDepth);
        return;
      case 'ForInStatement':
      case 'ForOfStatement':
        this.#children(node, block([node.left], scope), thisDepth);
        return;
      case 'SwitchStatement':
        this.#children(
          node,
          block(
            node.cases.flatMap((c) => c.consequent),
            scope,
          ),
          thisDepth,
        );
        return;
      case 'CatchClause': {
        const names = new Set<string>();
        if (node.param != null) collectPattern(node.param, names);
        this.#children(node, { names, outer: scope }, thisDepth);
        return;
      }
      case 'MemberExpression':
        this.visit(node.object as AnyNode, scope, thisDepth);
        if (node.computed || node.property.type === 'PrivateIdentifier') {
          this.visit(node.property as AnyNode, scope, thisDepth);
        }
        return;
      case 'Property':
      case 'PropertyDefinition':
      case 'MethodDefinition':
        if (node.computed || node.key.type === 'PrivateIdentifier') {
          this.visit(node.key as AnyNode, scope, thisDepth);
        }
        // A field's initialiser and a method have the class instance or object for `this`.
        if (node.value != null) {
          const own = node.type === 'PropertyDefinition' ? 1 : 0;
          this.visit(node.value as AnyNode, scope, thisDepth + own);
        }
        return;
      case 'UnaryExpression':
        // `typeof name` is safe for any name.
        if (node.operator === 'typeof' && node.argument.type === 'Identifier') return;
        this.visit(node.argument as AnyNode, scope, thisDepth);
        return;
      case 'LabeledStatement':
        this.visit(node.body as AnyNode, scope, thisDepth);
        return;
      case 'BreakStatement':
      case 'ContinueStatement':
        return;
      default:
        this.#children(node, scope, thisDepth);
    }
  }

  #use(name: string, scope: Scope | undefined): void {
    for (let at = scope; at !== undefined; at = at.outer) if (at.names.has(name)) return;
    this.free.add(name);
  }

  #function(node: FunctionNode, scope: Scope | undefined, thisDepth: number): void {
    const arrow = node.type === 'ArrowFunctionExpression';
    const names = new Set<string>(arrow ? [] : ['arguments']);
    if (node.type === 'FunctionExpression' && node.id != null) names.add(node.id.name);
    for (const param of node.params) collectPattern(param, names);
    const inner: Scope = { names, outer: scope };
    if (node.body.type === 'BlockStatement') {
      collectVars(node.body, names);
      collectLexical(node.body.body, names);
    }
    const depth = thisDepth + (arrow || scope === undefined ? 0 : 1);
    // Declared names resolve to themselves; default values and computed keys are uses.
    for (const param of node.params) this.visit(param as AnyNode, inner, depth);
    if (node.body.type === 'BlockStatement') this.#children(node.body, inner, depth);
    else this.visit(node.body as AnyNode, inner, depth);
  }

  #class(
    node: AnyNode & { type: 'ClassDeclaration' | 'ClassExpression' },
    scope: Scope | undefined,
    depth: number,
  ): void {
    const names = new Set<string>(node.id == null ? [] : [node.id.name]);
    const inner: Scope = { names, outer: scope };
    if (node.superClass != null) this.visit(node.superClass as AnyNode, inner, depth);
    const privateNames = new Set<string>();
    for (const member of node.body.body) {
      if ('key' in member && member.key.type === 'PrivateIdentifier')
        privateNames.add(member.key.name);
    }
    this.#privateNames.push(privateNames);
    for (const member of node.body.body) {
      // Methods count their own `this`; a static block has the class for it.
      this.visit(member as AnyNode, inner, member.type === 'StaticBlock' ? depth + 1 : depth);
    }
    this.#privateNames.pop();
  }

  #children(node: AnyNode, scope: Scope | undefined, thisDepth: number): void {
    for (const value of Object.values(node) as unknown[]) {
      if (Array.isArray(value)) {
        for (const item of value) if (isNode(item)) this.visit(item, scope, thisDepth);
      } else if (isNode(value)) this.visit(value, scope, thisDepth);
    }
  }
}

function isNode(value: unknown): value is AnyNode {
  return typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';
}

function block(statements: readonly (Node | null | undefined)[], outer: Scope | undefined): Scope {
  const names = new Set<string>();
  collectLexical(statements, names);
  return { names, outer };
}

/** let, const, class and function declarations directly among `statements`. */
function collectLexical(
  statements: readonly (Node | null | undefined)[],
  names: Set<string>,
): void {
  for (const statement of statements as readonly (AnyNode | null | undefined)[]) {
    if (statement == null) continue;
    if (statement.type === 'VariableDeclaration' && statement.kind !== 'var') {
      for (const declarator of statement.declarations) collectPattern(declarator.id, names);
    } else if (statement.type === 'FunctionDeclaration' || statement.type === 'ClassDeclaration') {
      if (statement.id != null) names.add(statement.id.name);
    }
  }
}

/** `var` anywhere under `node`, not inside other functions. */
function collectVars(node: Node, names: Set<string>): void {
  for (const value of Object.values(node) as unknown[]) {
    for (const item of Array.isArray(value) ? value : [value]) {
      if (!isNode(item) || isFunction(item) || item.type === 'StaticBlock') continue;
      if (item.type === 'VariableDeclaration' && item.kind === 'var') {
        for (const declarator of item.declarations) collectPattern(declarator.id, names);
      }
      collectVars(item, names);
    }
  }
}

function isFunction(node: AnyNode): boolean {
  return (
    node.type === 'FunctionDeclaration' ||
    node.type === 'FunctionExpression' ||
    node.type === 'ArrowFunctionExpression'
  );
}

/** Names a pattern declares. */
function collectPattern(pattern: Pattern, names: Set<string>): void {
  switch (pattern.type) {
    case 'Identifier':
      names.add(pattern.name);
      return;
    case 'ObjectPattern':
      for (const property of pattern.properties) {
        collectPattern(property.type === 'RestElement' ? property.argument : property.value, names);
      }
      return;
    case 'ArrayPattern':
      for (const element of pattern.elements) if (element !== null) collectPattern(element, names);
      return;
    case 'RestElement':
      collectPattern(pattern.argument, names);
      return;
    case 'AssignmentPattern':
      collectPattern(pattern.left, names);
      return;
    case 'MemberExpression':
      return;
  }
}
