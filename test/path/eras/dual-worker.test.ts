import { describeSquares } from './squares.ts';

describeSquares('dual');
