import { describeSquares } from './squares.ts';

describeSquares('modern');
