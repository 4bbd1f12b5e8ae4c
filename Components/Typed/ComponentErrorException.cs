namespace WasmJit.Components;

/// <summary>
/// The error of a <c>result</c>, where a method of .NET returns the value alone: thrown to the host that has called a component, or by a function of the
/// host for the component that has called it.
/// </summary>
public sealed class ComponentErrorException : WasmJitException
{
    /// <summary>Makes an exception for an error.</summary>
    /// <param name="error">The error; of the kind <see cref="ComponentValueKind.None"/> if the result has none.</param>
    public ComponentErrorException(ComponentValue error = default)
        : base(error.Kind == ComponentValueKind.None ? "The function returned an error." : $"The function returned an error: {error}") => Error = error;

    /// <summary>The error.</summary>
    public ComponentValue Error { get; }
}

/// <summary>Between results and exceptions.</summary>
internal static class ResultErrors
{
    private static ComponentErrorException Exception<TError>(TError error) => error is ComponentValue value ? new(value) : new();

    internal static T Value<T, TError>(ComponentResult<T, TError> result) => result.IsOk ? result.ValueOrDefault : throw Exception(result.ErrorOrDefault);

    internal static void Check<TError>(ComponentResult<NoValue, TError> result) => Value(result);

    internal static async Task<T> ValueAsync<T, TError>(Task<ComponentResult<T, TError>> result) => Value(await result.ConfigureAwait(false));

    internal static async Task CheckAsync<TError>(Task<ComponentResult<NoValue, TError>> result) => Value(await result.ConfigureAwait(false));

    internal static ComponentResult<T, TError> Ok<T, TError>(T value) => value;

    internal static ComponentResult<T, TError> Failed<T, TError>(ComponentErrorException exception) =>
        ComponentResult<T, TError>.Fail(typeof(TError) == typeof(ComponentValue) ? (TError)(object)exception.Error : default!);
}
