import { dirname, relative, resolve } from 'node:path';
import js from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';
import { tsImport } from 'tsx/esm/api';

const { mayImport } = await tsImport('./scripts/dependency-rule.ts', import.meta.url);
const SRC = resolve(import.meta.dirname, 'src');

/** The dependency rule of the architecture, told where the import is written. */
const dependencyRule = {
  meta: {
    type: 'problem',
    schema: [],
    messages: { forbidden: '{{from}} must not import {{target}} (dependency rule)' },
  },
  create(context) {
    const from = relative(SRC, context.filename);
    const check = (node) => {
      const name = node.source?.value;
      if (typeof name !== 'string' || from.startsWith('..')) return;
      const isFile = name.startsWith('.');
      const target = isFile ? relative(SRC, resolve(dirname(context.filename), name)) : name;
      if (!mayImport(from, target, isFile)) context.report({ node, messageId: 'forbidden', data: { from, target } });
    };
    return {
      ImportDeclaration: check,
      ImportExpression: check,
      ExportNamedDeclaration: check,
      ExportAllDeclaration: check,
    };
  },
};

export default defineConfig(
  { ignores: ['dist/', 'node_modules/', 'examples/', 'src/runtime/wrappers/', 'test/**/fixtures/'] },
  js.configs.recommended,
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { drover: { rules: { 'dependency-rule': dependencyRule } } },
    rules: {
      'drover/dependency-rule': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      // Our ports are objects of functions; none of them uses `this`.
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportDefaultDeclaration', message: 'Named exports only.' },
        {
          selector: "MemberExpression[object.name='process'][property.name='env']",
          message: 'Only the config files read the environment.',
        },
      ],
    },
  },
  {
    files: [
      'src/config.ts',
      'src/runtime/config.ts',
      'scripts/**',
      'test/**',
      'bench/**',
      '*.config.ts',
      'eslint.config.js',
    ],
    rules: { 'no-restricted-syntax': 'off' },
  },
  {
    files: ['test/**'],
    // A fixture of vitest names what it needs by a pattern, also when that is nothing.
    rules: { 'no-empty-pattern': ['error', { allowObjectPatternsAsParameters: true }] },
  },
  { files: ['**/*.js'], extends: [tseslint.configs.disableTypeChecked] },
);
