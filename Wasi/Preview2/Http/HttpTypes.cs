using WasmJit.Components;

namespace WasmJit.Wasi.Preview2;

/// <summary><c>wasi:http/types</c>.</summary>
internal static class HttpTypesInterface
{
    internal static void AddTo(InterfaceWriter to, WasiState state)
    {
        ResourceTypes types = state.Types;
        to.Add("input-stream", types.InputStream);
        to.Add("output-stream", types.OutputStream);
        to.Add("io-error", types.Error);
        to.Add("pollable", types.Pollable);
        to.Add("http-error-code", HttpFailure? (ComponentResource error) => HttpFailure.Of(error.Get<IoError>().Reason));
        AddFields(to, types);
        AddIncoming(to, state);
        AddOutgoing(to, state);
        AddOptions(to, types);
    }

    private static NoValue None => default;

    private static ComponentResult<NoValue, NoValue> Done(bool isDone) => isDone ? None : ComponentResult<NoValue, NoValue>.Fail(None);

    /// <summary>A handle of something that can be had once.</summary>
    private static ComponentResult<ComponentResource, NoValue> Once(HostResourceType type, GuestObject? made) =>
        made is null ? ComponentResult<ComponentResource, NoValue>.Fail(None) : type.New(made);

    /// <summary>Takes what a guest gives away.</summary>
    internal static T Take<T>(ComponentResource given)
        where T : GuestObject
    {
        T taken = given.Get<T>();
        given.Dispose();
        return taken;
    }

    // ---- fields ----

    private static ComponentResult<NoValue, HeaderError> Result(HeaderError? error) => error is null ? None : ComponentResult<NoValue, HeaderError>.Fail(error);

    private static void AddFields(InterfaceWriter to, ResourceTypes types)
    {
        to.Add("fields", types.Fields);
        to.Add("headers", types.Fields);
        to.Add("trailers", types.Fields);
        to.Add("[constructor]fields", () => types.Fields.New(new HttpFields()));
        to.Add("[static]fields.from-list", ComponentResult<ComponentResource, HeaderError> ((string Name, byte[] Value)[] entries) =>
        {
            var fields = new HttpFields();
            foreach ((string name, byte[] value) in entries)
                if (fields.Append(name, value) is { } error) return ComponentResult<ComponentResource, HeaderError>.Fail(error);
            return types.Fields.New(fields);
        });
        to.Add("[method]fields.get", (ComponentResource self, string name) => self.Get<HttpFields>().Get(name));
        to.Add("[method]fields.has", (ComponentResource self, string name) => self.Get<HttpFields>().Has(name));
        to.Add("[method]fields.set", (ComponentResource self, string name, byte[][] values) => Result(self.Get<HttpFields>().Set(name, values)));
        to.Add("[method]fields.delete", (ComponentResource self, string name) => Result(self.Get<HttpFields>().Delete(name)));
        to.Add("[method]fields.append", (ComponentResource self, string name, byte[] value) => Result(self.Get<HttpFields>().Append(name, value)));
        to.Add("[method]fields.entries", (ComponentResource self) => self.Get<HttpFields>().Items.ToArray());
        to.Add("[method]fields.clone", (ComponentResource self) => types.Fields.New(self.Get<HttpFields>().Copy()));
    }

    // ---- what comes in ----

    private static void AddIncoming(InterfaceWriter to, WasiState state)
    {
        ResourceTypes types = state.Types;
        to.Add("incoming-request", types.IncomingRequest);
        to.Add("incoming-response", types.IncomingResponse);
        to.Add("incoming-body", types.IncomingBody);
        to.Add("future-trailers", types.FutureTrailers);
        to.Add("future-incoming-response", types.FutureResponse);
        to.Add("[method]incoming-request.method", (ComponentResource self) => self.Get<IncomingRequest>().Method);
        to.Add("[method]incoming-request.path-with-query", string? (ComponentResource self) => self.Get<IncomingRequest>().PathWithQuery);
        to.Add("[method]incoming-request.scheme", HttpScheme? (ComponentResource self) => self.Get<IncomingRequest>().Scheme);
        to.Add("[method]incoming-request.authority", string? (ComponentResource self) => self.Get<IncomingRequest>().Authority);
        to.Add("[method]incoming-request.headers", (ComponentResource self) => types.Fields.New(self.Get<IncomingRequest>().Headers));
        to.Add("[method]incoming-request.consume", (ComponentResource self) => Once(types.IncomingBody, self.Get<IncomingRequest>().Consume()));
        to.Add("[method]incoming-response.status", (ComponentResource self) => self.Get<IncomingResponse>().Status);
        to.Add("[method]incoming-response.headers", (ComponentResource self) => types.Fields.New(self.Get<IncomingResponse>().Headers));
        to.Add("[method]incoming-response.consume", (ComponentResource self) => Once(types.IncomingBody, self.Get<IncomingResponse>().Consume()));
        to.Add("[method]incoming-body.stream", (ComponentResource self) => Once(types.InputStream, self.Get<IncomingBody>().TakeStream()));
        to.Add("[static]incoming-body.finish", (ComponentResource body) => types.FutureTrailers.New(Take<IncomingBody>(body).Finish()));
        to.Add("[method]future-trailers.subscribe", (ComponentResource self) => IoPollInterface.New(state, new TaskSource(self.Get<FutureTrailers>().Read), self.Get<FutureTrailers>()));
        to.Add("[method]future-trailers.get", ComponentResult<ComponentResult<ComponentResource?, HttpFailure>, NoValue>? (ComponentResource self) =>
            !self.Get<FutureTrailers>().Read.IsCompleted ? null
            : self.Get<FutureTrailers>().Take(out HttpFields? fields)
                ? (ComponentResult<ComponentResult<ComponentResource?, HttpFailure>, NoValue>)(ComponentResult<ComponentResource?, HttpFailure>)(fields is null ? null : types.Fields.New(fields))
                : ComponentResult<ComponentResult<ComponentResource?, HttpFailure>, NoValue>.Fail(None));
        to.Add("[method]future-incoming-response.subscribe", (ComponentResource self) => IoPollInterface.New(state, self.Get<FutureResponse>().Source, self.Get<FutureResponse>()));
        to.Add("[method]future-incoming-response.get", ComponentResult<ComponentResult<ComponentResource, HttpFailure>, NoValue>? (ComponentResource self) =>
        {
            if (self.Get<FutureResponse>().Take() is not { } taken) return null;
            if (!taken.IsOk) return ComponentResult<ComponentResult<ComponentResource, HttpFailure>, NoValue>.Fail(None);
            return taken.Value.IsOk
                ? (ComponentResult<ComponentResource, HttpFailure>)types.IncomingResponse.New(taken.Value.Value)
                : ComponentResult<ComponentResource, HttpFailure>.Fail(taken.Value.Error);
        });
    }

    // ---- what goes out ----

    private static void AddOutgoing(InterfaceWriter to, WasiState state)
    {
        ResourceTypes types = state.Types;
        to.Add("outgoing-request", types.OutgoingRequest);
        to.Add("outgoing-response", types.OutgoingResponse);
        to.Add("outgoing-body", types.OutgoingBody);
        to.Add("response-outparam", types.ResponseOutparam);
        to.Add("[constructor]outgoing-request", (ComponentResource headers) => types.OutgoingRequest.New(new OutgoingRequest(Frozen(headers))));
        to.Add("[method]outgoing-request.body", (ComponentResource self) => Once(types.OutgoingBody, self.Get<OutgoingRequest>().TakeBody()));
        to.Add("[method]outgoing-request.method", (ComponentResource self) => self.Get<OutgoingRequest>().Method);
        to.Add("[method]outgoing-request.set-method", (ComponentResource self, HttpVerb method) => Set(OutgoingRequest.IsMethod(method), () => self.Get<OutgoingRequest>().Method = method));
        to.Add("[method]outgoing-request.path-with-query", string? (ComponentResource self) => self.Get<OutgoingRequest>().PathWithQuery);
        to.Add("[method]outgoing-request.set-path-with-query", (ComponentResource self, string? path) => Set(
            OutgoingRequest.IsPath(path), () => self.Get<OutgoingRequest>().PathWithQuery = path));
        to.Add("[method]outgoing-request.scheme", HttpScheme? (ComponentResource self) => self.Get<OutgoingRequest>().Scheme);
        to.Add("[method]outgoing-request.set-scheme", (ComponentResource self, HttpScheme? scheme) => Set(
            OutgoingRequest.IsScheme(scheme), () => self.Get<OutgoingRequest>().Scheme = scheme));
        to.Add("[method]outgoing-request.authority", string? (ComponentResource self) => self.Get<OutgoingRequest>().Authority);
        to.Add("[method]outgoing-request.set-authority", (ComponentResource self, string? authority) => Set(
            OutgoingRequest.IsAuthority(authority, mayNameUser: false), () => self.Get<OutgoingRequest>().Authority = authority));
        to.Add("[method]outgoing-request.headers", (ComponentResource self) => types.Fields.New(Child(self.Get<OutgoingRequest>(), self.Get<OutgoingRequest>().Fields)));
        to.Add("[constructor]outgoing-response", (ComponentResource headers) => types.OutgoingResponse.New(new OutgoingResponse(Frozen(headers))));
        to.Add("[method]outgoing-response.status-code", (ComponentResource self) => self.Get<OutgoingResponse>().Status);
        to.Add("[method]outgoing-response.set-status-code", (ComponentResource self, ushort status) => Set(status is >= 100 and < 1000, () => self.Get<OutgoingResponse>().Status = status));
        to.Add("[method]outgoing-response.headers", (ComponentResource self) => types.Fields.New(Child(self.Get<OutgoingResponse>(), self.Get<OutgoingResponse>().Fields)));
        to.Add("[method]outgoing-response.body", (ComponentResource self) => Once(types.OutgoingBody, self.Get<OutgoingResponse>().TakeBody()));
        to.Add("[method]outgoing-body.write", (ComponentResource self) => Once(types.OutputStream, self.Get<OutgoingBody>().TakeStream()));
        to.Add("[static]outgoing-body.finish", ComponentResult<NoValue, HttpFailure> (ComponentResource self, ComponentResource? trailers) =>
        {
            HttpFields? fields = trailers is null ? null : Take<HttpFields>(trailers);
            HttpFailure? failure = self.Get<OutgoingBody>().Finish(fields, state.Waiter);
            self.Dispose();
            return failure is null ? None : ComponentResult<NoValue, HttpFailure>.Fail(failure);
        });
        // Responses before the one, of the status 1xx, have no place in what is answered here.
        to.Add("[method]response-outparam.send-informational", ComponentResult<NoValue, HttpFailure> (ComponentResource self, ushort status, ComponentResource headers) =>
        {
            headers.Dispose();
            return ComponentResult<NoValue, HttpFailure>.Fail(new HttpFailure.InternalError("informational responses are not sent"));
        });
        to.Add("[static]response-outparam.set", (ComponentResource self, ComponentResult<ComponentResource, HttpFailure> response) =>
        {
            ResponseOutparam target = self.Get<ResponseOutparam>();
            target.Set(response.IsOk ? Take<OutgoingResponse>(response.Value) : ComponentResult<OutgoingResponse, HttpFailure>.Fail(response.Error));
            self.Dispose();
        });
    }

    private static ComponentResult<NoValue, NoValue> Set(bool isValid, Action set)
    {
        if (isValid) set();
        return Done(isValid);
    }

    /// <summary>Headers that are a message's from now on.</summary>
    internal static HttpFields Frozen(ComponentResource headers) => Take<HttpFields>(headers).ImmutableCopy();

    private static HttpFields Child(GuestObject parent, HttpFields fields) => parent.Adopt(fields.ImmutableCopy());

    // ---- options ----

    private static void AddOptions(InterfaceWriter to, ResourceTypes types)
    {
        to.Add("request-options", types.RequestOptions);
        to.Add("[constructor]request-options", () => types.RequestOptions.New(new RequestOptions()));
        to.Add("[method]request-options.connect-timeout", ulong? (ComponentResource self) => self.Get<RequestOptions>().Connect);
        to.Add("[method]request-options.set-connect-timeout", (ComponentResource self, ulong? time) => Set(true, () => self.Get<RequestOptions>().Connect = time));
        to.Add("[method]request-options.first-byte-timeout", ulong? (ComponentResource self) => self.Get<RequestOptions>().FirstByte);
        to.Add("[method]request-options.set-first-byte-timeout", (ComponentResource self, ulong? time) => Set(true, () => self.Get<RequestOptions>().FirstByte = time));
        to.Add("[method]request-options.between-bytes-timeout", ulong? (ComponentResource self) => self.Get<RequestOptions>().BetweenBytes);
        to.Add("[method]request-options.set-between-bytes-timeout", (ComponentResource self, ulong? time) => Set(true, () => self.Get<RequestOptions>().BetweenBytes = time));
    }
}
