import { describeSquares } from './squares.ts';

describeSquares('legacy');
