using System.Diagnostics.CodeAnalysis;

namespace WasmJit.Components;

/// <summary>The <c>result</c> of the component model: a value, or an error.</summary>
/// <typeparam name="TOk">The type of the value; <see cref="NoValue"/> if there is none.</typeparam>
/// <typeparam name="TError">The type of the error; <see cref="NoValue"/> if there is none.</typeparam>
public readonly struct ComponentResult<TOk, TError> : IEquatable<ComponentResult<TOk, TError>>, IOutcome
{
    private readonly TOk value;
    private readonly TError error;

    internal ComponentResult(bool isOk, TOk value, TError error)
    {
        IsOk = isOk;
        this.value = value;
        this.error = error;
    }

    /// <summary>A value.</summary>
    public static implicit operator ComponentResult<TOk, TError>(TOk value) => new(true, value, default!);

    /// <summary>An error.</summary>
    [SuppressMessage("Design", "CA1000", Justification = "The types say what it is a result of.")]
    public static ComponentResult<TOk, TError> Fail(TError error) => new(false, default!, error);

    /// <summary>Whether there is a value.</summary>
    public bool IsOk { get; }

    /// <summary>The value.</summary>
    /// <exception cref="InvalidOperationException">There is an error.</exception>
    public TOk Value => IsOk ? value : throw new InvalidOperationException($"The result is an error: {error}");

    /// <summary>The error.</summary>
    /// <exception cref="InvalidOperationException">There is a value.</exception>
    public TError Error => IsOk ? throw new InvalidOperationException("The result is not an error.") : error;

    object? IOutcome.Content => IsOk ? value : error;

    internal TOk ValueOrDefault => value;

    internal TError ErrorOrDefault => error;

    /// <inheritdoc/>
    public bool Equals(ComponentResult<TOk, TError> other) => IsOk == other.IsOk
        && EqualityComparer<TOk>.Default.Equals(value, other.value) && EqualityComparer<TError>.Default.Equals(error, other.error);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is ComponentResult<TOk, TError> other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(IsOk, value, error);

    /// <summary>Whether both are equal.</summary>
    public static bool operator ==(ComponentResult<TOk, TError> left, ComponentResult<TOk, TError> right) => left.Equals(right);

    /// <summary>Whether both are not equal.</summary>
    public static bool operator !=(ComponentResult<TOk, TError> left, ComponentResult<TOk, TError> right) => !left.Equals(right);

    /// <inheritdoc/>
    public override string ToString() => IsOk ? $"ok({value})" : $"error({error})";
}

/// <summary>Stands for the missing value of a <see cref="ComponentResult{TOk, TError}"/>.</summary>
public readonly record struct NoValue;
