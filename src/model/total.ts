/** The formula of `total` as a closure over the dimensions. */
import type { Formula, Model } from "./types.js";

export type Total = (dimensions: readonly number[]) => number;

/** The total before it is clamped and rounded, from clamped dimensions in model order; by default their sum. */
export function totalOf(model: Model): Total {
  if (model.total === undefined) {
    return (dimensions) => {
      let sum = 0;
      for (let i = 0; i < dimensions.length; i++) sum += dimensions[i]!;
      return sum;
    };
  }
  const index = new Map(model.dimensions.map(({ id }, at) => [id, at]));
  const formula = compileFormula(model.total, index);
  return (dimensions) => {
    const value = formula(dimensions);
    // Only an overflow gets here (infinity minus infinity): x/0 is 0.
    return Number.isNaN(value) ? 0 : value;
  };
}

function compileFormula(
  formula: Formula,
  index: ReadonlyMap<string, number>,
): (dimensions: readonly number[]) => number {
  switch (formula.op) {
    case "number": {
      const { value } = formula;
      return () => value;
    }
    case "dimension": {
      const at = index.get(formula.id);
      if (at === undefined) throw new Error(`dimension ${formula.id} is not in the model`);
      return (dimensions) => dimensions[at]!;
    }
    case "negate": {
      const of = compileFormula(formula.of, index);
      return (dimensions) => -of(dimensions);
    }
    default: {
      const left = compileFormula(formula.left, index);
      const right = compileFormula(formula.right, index);
      switch (formula.op) {
        case "+":
          return (dimensions) => left(dimensions) + right(dimensions);
        case "-":
          return (dimensions) => left(dimensions) - right(dimensions);
        case "*":
          return (dimensions) => left(dimensions) * right(dimensions);
        case "/":
          return (dimensions) => {
            const divisor = right(dimensions);
            return divisor === 0 ? 0 : left(dimensions) / divisor;
          };
      }
    }
  }
}
