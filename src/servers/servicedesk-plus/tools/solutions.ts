import { listTool, searchTool } from './listing.ts';
import type { Module, ToolMaker } from './module.ts';
import { getTool } from './records.ts';

const solutions: Module = {
  plural: 'solutions',
  key: 'solution',
  idName: 'solutionId',
  label: 'solution',
  titleField: 'title',
  read: ['SDPOnDemand.solutions.READ'],
};

export const solutionTools: readonly ToolMaker[] = [
  getTool(solutions),
  listTool(solutions, {
    name: 'list_solutions',
    description: 'Articles of the knowledge base',
    filters: [{ name: 'topic', about: 'Of this topic', field: 'topic.name' }],
  }),
  searchTool(solutions),
];
